/** Owns what a check of the explanation tells: accepted, or refused with what to change, where, and who has to do it. */
import type { Result } from '@mcp-oauth/shared/cli/checks';

/** Whose turn it is: the developer of the client, or the operator of this server. */
export type Turn = 'client' | 'operator';

export interface Mend {
  readonly turn: Turn;
  /** What to change, as a sentence. */
  readonly mend: string;
  /** The setting to change here, or the one that decides. */
  readonly setting?: string | undefined;
}

export interface Check extends Partial<Mend> {
  readonly check: string;
  readonly result: Result;
  readonly found?: string | undefined;
  readonly expected?: string | undefined;
  /** Error code of the answer to the client. */
  readonly error?: string | undefined;
  readonly reason?: string | undefined;
  readonly note?: string | undefined;
}
