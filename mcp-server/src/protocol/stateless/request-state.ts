/**
 * Owns the state that a client carries from one round of a request to the next: the answers so far, sealed for this
 * person, client and request, and for a short time (MCP 2026-07-28 basic/patterns/mrtr, "Server Requirements").
 */
import { createHash } from 'node:crypto';
import type { Clock } from '@mcp-oauth/shared/clock';
import { INVALID_PARAMS } from '@mcp-oauth/shared/json-rpc-codes';
import type { Principal } from '../../authorization/principal.ts';
import { seal, unseal } from '../../keys/seal.ts';
import type { SealingKeys } from '../../keys/sealing-keys.ts';
import { RpcError } from '../call.ts';
import type { Answers } from './questions.ts';
import { object, type StatelessRequest } from './request.ts';
import { tryAgain } from './request-errors.ts';

export interface RequestState {
  /**
   * The answers that come with a request, of this round and of earlier ones.
   * @throws RpcError when the state was not issued to this client for this request, or has expired
   */
  read(asked: StatelessRequest, principal: Principal): Promise<Answers>;
  /** @throws RpcError when the answers are too long to be carried */
  write(used: Answers, asked: StatelessRequest, principal: Principal): Promise<string>;
}

/** Milliseconds that a user may take for an answer. */
const LIFETIME = 15 * 60_000;

/** Maximum characters of a state; a request may have 1 MiB. */
const LONGEST = 512 * 1024;

const invalid = (what: string) => new RpcError(INVALID_PARAMS, `Invalid params: ${what}`);

export function createRequestState(keys: SealingKeys, clock: Clock): RequestState {
  const open = async (state: unknown, context: string): Promise<readonly (readonly [string, unknown])[]> => {
    if (state === undefined) return [];
    const fits = typeof state === 'string' && state.length <= LONGEST;
    const text = fits && (await unseal(keys, state, context).catch(unavailable));
    if (!text) throw invalid('requestState was not issued for this request');
    const { until, answers } = JSON.parse(text);
    if (until <= clock.now()) throw invalid('requestState has expired; send the request without it');
    return answers;
  };
  return {
    read: async (asked, principal) => {
      const { inputResponses = {}, requestState } = asked.params;
      const newest = object(inputResponses);
      if (!newest) throw invalid('inputResponses has to be an object');
      const earlier = await open(requestState, contextOf(asked, principal));
      return new Map([...Object.entries(newest), ...earlier]);
    },
    write: async (used, asked, principal) => {
      const text = JSON.stringify({ until: clock.now() + LIFETIME, answers: [...used] });
      const state = await seal(keys, text, contextOf(asked, principal)).catch(unavailable);
      if (state.length > LONGEST) throw invalid('the answers are too long for requestState');
      return state;
    },
  };
}

/** The context that a state is sealed for. It can't be used by another person or client, or with other parameters. */
function contextOf({ method, params }: StatelessRequest, { issuer, subject, clientId }: Principal): string {
  const { _meta, inputResponses, requestState, ...own } = params;
  const text = JSON.stringify([issuer, subject, clientId, method, own], (_, value) => sorted(value));
  return createHash('sha256').update(text).digest('base64url');
}

/** Sorts members: a client may send the same arguments in another order. */
function sorted(value: unknown): unknown {
  const members = object(value);
  return members ? Object.fromEntries(Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1))) : value;
}

/** Without its keys the server can neither open nor seal a state. */
const unavailable = (): never => {
  throw tryAgain('The keys of requestState are unavailable');
};
