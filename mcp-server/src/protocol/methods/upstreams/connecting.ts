/**
 * Owns how a person connects an account while a call waits: the client shows the page of the authorization server, and the call goes on
 * once the account is connected (MCP 2025-11-25 and 2026-07-28 client/elicitation, "URL Mode").
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '@mcp-oauth/shared/clock';
import { type ElicitResult, ElicitResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { InteractionRequired, type UpstreamToken } from '../../../upstream/upstream-token.ts';
import type { Call } from '../../call.ts';
import { ToolError } from '../../define.ts';
import { ConnectionNeeded, canOpenPages, type PageToOpen } from './connection-needed.ts';

export interface ConnectingDependencies {
  readonly clock: Clock;
  /** Waits for so many milliseconds. @throws when the signal is aborted */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

/** What a person connects. */
export interface Connecting {
  readonly call: Call;
  /** Name of the upstream. */
  readonly name: string;
  /** Whose consent connects the account. */
  readonly scope: string;
  /** Tries again, without a new page. @throws InteractionRequired while the account is not connected */
  readonly tryAgain: () => Promise<UpstreamToken>;
}

/** Milliseconds between two attempts. */
const PACE = 2_000;

/** Milliseconds that one request waits where the client sends it again: less than clients wait for an answer. */
const ROUND = 40_000;

const nameOf = (name: string): string => `connect-${name}`;

/** Whether the page was shown in an earlier round, so that no other one is needed. */
export const isShown = ({ rounds }: Call, name: string): boolean => rounds?.known(nameOf(name)) !== undefined;

/**
 * @throws ConnectionNeeded when the client shows no pages, or could not be asked
 * @throws ToolError when the person does not connect the account
 */
export async function connect(
  { uri, expiresIn }: InteractionRequired,
  what: Connecting,
  dependencies: ConnectingDependencies,
): Promise<UpstreamToken> {
  const { call, name, scope } = what;
  const message = `${name} is not connected: the user has to allow this server to act at ${name}.`;
  const isAnswered = isShown(call, name);
  if (uri === undefined && !isAnswered)
    throw new ToolError(`${message} The authorization server names no page for it.`);
  const page: PageToOpen = {
    mode: 'url',
    message: `To go on, connect your ${name} account: the page shows what for.`,
    // Not sent if there is an answer already.
    url: uri ?? '',
    elicitationId: randomUUID(),
  };
  const needed = new ConnectionNeeded(message, scope, page);
  if (!canOpenPages(call.capabilities)) throw needed;
  const { action } = await ask(call, nameOf(name), page).catch((cause: unknown) => {
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
  { call, name, tryAgain }: Connecting,
  lasts: number,
  { clock, pause }: ConnectingDependencies,
): Promise<UpstreamToken> {
  const { rounds, signal } = call;
  const note = `${nameOf(name)}-until`;
  const now = clock.now();
  const noted = rounds?.known(note);
  // A client could have written the note itself.
  const until = typeof noted === 'number' ? Math.min(noted, now + lasts) : now + lasts;
  const endOfRound = rounds ? now + ROUND : until;
  while (clock.now() < until) {
    try {
      return await tryAgain();
    } catch (error) {
      if (!(error instanceof InteractionRequired)) throw error;
    }
    if (rounds && clock.now() >= endOfRound) await rounds.again(note, until);
    await pause(PACE, signal);
  }
  throw new ToolError(`${name} was not connected in time. Call again to get a new page.`);
}
