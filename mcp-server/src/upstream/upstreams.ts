/** Owns the port to the upstreams for whatever runs for a person: which there are, their tokens, and requests to them. */
import type { ExchangeToken } from './exchange.ts';
import type { SendRequest } from './request.ts';
import type { ConfiguredUpstream } from './settings.ts';

export interface Upstreams {
  /** By id. */
  readonly configured: ReadonlyMap<string, ConfiguredUpstream>;
  /** Finds the token of a caller: from memory, or by an exchange. */
  readonly token: ExchangeToken;
  readonly request: SendRequest;
}

const unconfigured = async (): Promise<never> => {
  throw new Error('no upstream is configured');
};

/** Without the setting UPSTREAMS. */
export const NO_UPSTREAMS: Upstreams = { configured: new Map(), token: unconfigured, request: unconfigured };
