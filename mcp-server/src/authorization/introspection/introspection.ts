/**
 * Owns the check of an opaque token by the one issuer that is asked about such tokens (RFC 7662): who may cause a question, and what
 * follows from the answer. An issuer that does not answer is no reason to refuse a token.
 */
import type { Clock } from '@mcp-oauth/shared/clock';
import { B64TOKEN, type Caller, type VerifyToken } from '../access-token.ts';
import type { Principal } from '../principal.ts';
import type { TokenRules } from '../token/rules.ts';
import { ofIssuer, TokenError } from '../token-error.ts';
import type { Callers } from './callers.ts';
import { type Claims, judge } from './judgement.ts';
import { type Ask, Unanswered } from './question.ts';
import { type Queue, QueueFull } from './queue.ts';

/** `inactive`: the issuer does not know the token, or it has expired or was revoked. `limited`: the caller had asked too often. */
export const OUTCOMES = ['active', 'inactive', 'refused', 'unanswered', 'limited'] as const;
type Outcome = (typeof OUTCOMES)[number];

export interface IntrospectionOptions {
  readonly ask: Ask;
  /** Of the issuer that is asked. */
  readonly rules: readonly TokenRules[];
  /** The name of a variable of the issuer. */
  readonly variable: TokenRules['variable'];
  readonly callers: Callers;
  /** Tokens that one caller may have in question, for the log. */
  readonly limit: number;
  readonly queue: Queue;
  readonly clock: Clock;
  readonly onOutcome?: ((outcome: Outcome) => void) | undefined;
  readonly onFailure: (error: Unanswered) => void;
  readonly onAnswer: () => void;
}

export function createIntrospection(options: IntrospectionOptions): VerifyToken {
  const { callers, limit, variable, onOutcome } = options;
  return async (token, caller) => {
    if (!B64TOKEN.test(token)) throw new TokenError('malformed');
    const turn = callers.begin(addressOf(caller));
    if (!turn) {
      onOutcome?.('limited');
      const expected = `at most ${limit} tokens of a caller in a minute that the issuer does not know`;
      const finding = { expected, setting: variable('INTROSPECTION_LIMIT') };
      throw new TokenError('too_many_unknown', finding, undefined, variable);
    }
    let outcome: Outcome = 'unanswered';
    let isMiss = false;
    try {
      const principal = await principalOf(token, options);
      outcome = 'active';
      return principal;
    } catch (error) {
      outcome = outcomeOf(error);
      isMiss = error instanceof TokenError && (outcome !== 'unanswered' || isRejection(error.cause));
      throw ofIssuer(error, variable);
    } finally {
      turn.end(isMiss);
      onOutcome?.(outcome);
    }
  };
}

/** Callers whose address is not known share one limit. */
const addressOf = (caller: Caller | undefined): string => caller?.address ?? '';

async function principalOf(token: string, options: IntrospectionOptions): Promise<Principal> {
  const { ask, rules, variable, queue, clock, onFailure, onAnswer } = options;
  try {
    const claims = await queue.run(() => ask(token));
    onAnswer();
    if (!claims) throw new TokenError('inactive', { claim: 'active', expected: true, found: false });
    return judged(claims, rules, clock.now() / 1000);
  } catch (error) {
    if (error instanceof QueueFull) throw new TokenError('introspection_unavailable', { found: error.message }, error);
    if (!(error instanceof Unanswered)) throw error;
    onFailure(error);
    throw new TokenError('introspection_unavailable', { setting: variable('INTROSPECTION_URL') }, error);
  }
}

/** An answer in JSON can still be one that nobody can read, such as with lists inside lists without end. */
function judged(claims: Claims, rules: readonly TokenRules[], now: number): Principal {
  try {
    return judge(claims, rules, now);
  } catch (error) {
    if (error instanceof TokenError) throw error;
    throw new Unanswered('the answer cannot be read', { cause: error });
  }
}

const isRejection = (cause: unknown): boolean => cause instanceof Unanswered && cause.isRejected;

function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof TokenError) || error.reason === 'introspection_unavailable') return 'unanswered';
  return error.reason === 'inactive' ? 'inactive' : 'refused';
}
