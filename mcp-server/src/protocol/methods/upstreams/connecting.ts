/**
 * Owns how a person connects an account while a call waits: the client shows the page of the authorization server, and the call goes on
 * once the account is connected (MCP 2025-11-25 and 2026-07-28 client/elicitation, "URL Mode").
 */
import { hash, randomUUID } from 'node:crypto';
import type { Clock } from '@mcp-oauth/shared/clock';
import { type ElicitResult, ElicitResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { ExchangeUnavailable, InteractionRequired, type UpstreamToken } from '../../../upstream/upstream-token.ts';
import type { Call } from '../../call.ts';
import { ToolError } from '../../define.ts';
import { ConnectionNeeded, canOpenPages, type PageToOpen } from './connection-needed.ts';

export interface ConnectingDependencies {
  readonly clock: Clock;
  /** Waits for so many milliseconds. @throws when the signal is aborted */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

/** What a person connects. */
interface Connecting {
  readonly call: Call;
  /** Name of the upstream. */
  readonly name: string;
  /** Names the question: a token that was refused asks for another one than an account that was never connected. */
  readonly key: string;
  /** Whose consent connects the account. */
  readonly scope: string;
  /** Tries again, without a new page. @throws InteractionRequired or ExchangeUnavailable while there is no token */
  readonly tryAgain: () => Promise<UpstreamToken>;
}

/** Milliseconds between two attempts. */
const PACE = 2_000;

/** Milliseconds that one request waits where the client sends it again: less than clients wait for an answer. */
const ROUND = 40_000;

/** How many rounds wait at most. The clients of the SDKs end a request after ten, with an error that says nothing about the account. */
const ROUNDS = 8;

/** Whether the page was shown in an earlier round, so that no other one is needed. */
export const isShown = ({ rounds }: Call, key: string): boolean => rounds?.known(key) !== undefined;

/**
 * Names the question for the account. A run that comes again may know nothing of a refusal by the upstream, because another replica had
 * the token in memory: it goes on with the page that was shown last.
 * @param rejected a token of the account that the upstream has refused
 */
export function keyOf(call: Call, name: string, rejected: string | undefined): string {
  const first = `connect-${name}`;
  if (rejected !== undefined) return `${first}-${hash('sha256', rejected, 'base64url').slice(0, 8)}`;
  const last = call.rounds?.known(lastShown(name));
  return typeof last === 'string' && last.startsWith(first) && isShown(call, last) ? last : first;
}

/** The note of the question that was asked last. */
const lastShown = (name: string): string => `connect-${name}.last`;

/** What each call has asked for, by key. */
const asked = new WeakMap<Call, Map<string, Promise<UpstreamToken>>>();

/** Asks once in a call, also if several requests need the account: the person gets one page. */
export function connectOnce(...given: Parameters<typeof connect>): Promise<UpstreamToken> {
  const [, { call, key }] = given;
  const known = asked.get(call) ?? new Map<string, Promise<UpstreamToken>>();
  asked.set(call, known);
  const connecting = known.get(key) ?? connect(...given);
  known.set(key, connecting);
  return connecting;
}

/**
 * @throws ConnectionNeeded when the client shows no pages, or could not be asked
 * @throws ToolError when the person does not connect the account
 */
async function connect(
  { uri, expiresIn, scope: named }: InteractionRequired,
  what: Connecting,
  dependencies: ConnectingDependencies,
): Promise<UpstreamToken> {
  const { call, name, key, scope } = what;
  const message = `${name} is not connected: the user has to allow this server to act at ${name}.`;
  const isAble = canOpenPages(call.capabilities);
  // Another product may need the person for something else, and knows no scope of ours.
  if (isAble ? uri === undefined && !isShown(call, key) : named !== scope)
    throw new ToolError(`${message} The authorization server names no page for it.`);
  const page: PageToOpen = {
    mode: 'url',
    message: `To go on, connect your ${name} account: the page shows what for.`,
    // Not sent if there is an answer already.
    url: uri ?? '',
    elicitationId: randomUUID(),
  };
  const needed = new ConnectionNeeded(message, scope, page);
  if (!isAble) throw needed;
  call.rounds?.note(lastShown(name), key);
  const { action } = await ask(call, key, page).catch((cause: unknown) => {
    throw Object.assign(needed, { cause });
  });
  if (action !== 'accept') throw new ToolError(`The user did not connect ${name}.`);
  const token = await waitFor(what, expiresIn * 1000, dependencies);
  if (!call.rounds) {
    const { elicitationId } = page;
    await call.notify({ method: 'notifications/elicitation/complete', params: { elicitationId } });
  }
  return token;
}

async function ask(call: Call, key: string, { elicitationId, ...page }: PageToOpen): Promise<ElicitResult> {
  const params = call.rounds ? page : { ...page, elicitationId };
  return ElicitResultSchema.parse(await call.ask({ method: 'elicitation/create', params, key }));
}

/** @throws ToolError when the page has expired before the account was connected */
async function waitFor(
  { call, name, key, tryAgain }: Connecting,
  lasts: number,
  { clock, pause }: ConnectingDependencies,
): Promise<UpstreamToken> {
  const { rounds, signal } = call;
  const note = `${key}.until`;
  const now = clock.now();
  const noted = rounds?.known(note);
  // With the access token of the request ends what it can be exchanged for. The next round may have another one.
  const endOfToken = call.principal.expiresAt * 1000;
  const last = now + Math.min(lasts, rounds ? ROUNDS * ROUND : endOfToken - now);
  // A client could have written the note itself.
  const until = typeof noted === 'number' ? Math.min(noted, last) : last;
  const endOfRound = Math.min(now + ROUND, endOfToken);
  rounds?.note(note, until);
  while (clock.now() < until) {
    try {
      return await tryAgain();
    } catch (error) {
      // The person may still be at it while the issuer is away for a moment.
      if (!(error instanceof InteractionRequired || error instanceof ExchangeUnavailable)) throw error;
    }
    await pause(PACE, signal);
    if (rounds && clock.now() >= endOfRound) await rounds.again();
  }
  throw new ToolError(`${name} was not connected in time. Call again to get a new page.`);
}
