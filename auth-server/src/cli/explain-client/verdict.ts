/** Owns how the server is asked, and how its answer is read: accepted, or refused with the error and the reason that it logged. */
import type { JsonObject } from '@mcp-oauth/shared/json';
import type { Reason } from '../../client-documents/document-error.ts';
import type { Answer, InProcessServer } from '../../compose/in-process/server.ts';
import type { Config } from '../../config.ts';

export interface Walk {
  readonly server: InProcessServer;
  readonly config: Config;
}

export interface Refused {
  readonly error: string;
  readonly reason: string;
  /** Why the document of the client could not be used. */
  readonly document?: Reason | undefined;
}

export interface Verdict {
  /** Absent: accepted. */
  readonly refused?: Refused;
  /** Whether the server found the client. */
  readonly knowsClient: boolean;
  /** Resource and scope that the person would be asked for. */
  readonly asked?: { readonly resource?: string | undefined; readonly scope?: string | undefined };
  /** Whether `prompt=none` gets an error, because nobody has signed in yet. */
  readonly needsPerson?: true;
}

/** OpenID Connect Core §3.1.2.6: errors of a request that is correct, and that a person has to answer. */
const NEEDS_PERSON = new Set([
  'login_required',
  'interaction_required',
  'consent_required',
  'account_selection_required',
]);

const find = (log: readonly JsonObject[], event: string) => log.find(({ msg }) => msg === event);
const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

function verdictOf({ waiting, log, body, status }: Answer): Verdict {
  if (waiting) {
    const asked = { resource: textOf([waiting.resource].flat()[0]), scope: textOf(waiting.scope) };
    return { knowsClient: true, asked };
  }
  const line = find(log, 'authorization refused');
  const error = textOf(line?.error) ?? textOf(body.error) ?? `status ${status}`;
  const knowsClient = line?.client !== undefined;
  if (NEEDS_PERSON.has(error)) return { knowsClient, needsPerson: true };
  const { reason: document } = (line?.document ?? {}) as { readonly reason?: Reason };
  const unread = find(log, 'client document could not be read');
  const said = textOf(unread?.detail) ?? textOf(line?.reason) ?? textOf(body.error_description) ?? error;
  return { knowsClient, refused: { error, reason: said, document } };
}

export const ask = async ({ server }: Walk, path: string): Promise<Verdict> => verdictOf(await server.ask(path));

/** What a check tells of a refusal. */
export const refusedBy = ({ error, reason }: Refused) => ({ result: 'refused', error, reason }) as const;
