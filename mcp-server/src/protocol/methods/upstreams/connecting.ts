/**
 * Owns how a person connects an account while a call waits: the client shows the page of the authorization server, and the call goes on
 * once the account is connected (MCP 2025-11-25 and 2026-07-28 client/elicitation, "URL Mode").
 */
import { hash, randomUUID } from 'node:crypto';
import { type ElicitResult, ElicitResultSchema } from '@modelcontextprotocol/sdk/types.js';
import type { Wish } from '../../../upstream/exchange.ts';
import { InteractionRequired, type UpstreamToken } from '../../../upstream/upstream-token.ts';
import type { Call } from '../../call.ts';
import { ToolError } from '../../define.ts';
import { ConnectionNeeded, canOpenPages, type PageToOpen } from './connection-needed.ts';
import { endOfCall } from './running.ts';
import {
  type Awaited,
  type Deadline,
  deadlineOf,
  declined,
  moment,
  notePage,
  pageOf,
  type WaitingDependencies,
  waitFor,
} from './waiting.ts';

/** What a person connects. */
interface Connecting extends Awaited {
  /** Whose consent connects the account. */
  readonly scope: string;
}

/** What a call needs if the person has to act: no page if its client can't open one, or if the person was asked in this call before. */
export const wishOf = (call: Call, key: string): Wish => ({
  kind: canOpenPages(call.capabilities) && !isShown(call, key) && !isAsked(call, key) ? 'page' : 'none',
  page: pageOf(call, key),
});

/** Whether this call has shown the page in an earlier round, so that no other one is needed. */
const isShown = ({ rounds }: Call, key: string): boolean => rounds?.known(key) !== undefined;

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

const isAsked = (call: Call, key: string): boolean => asked.get(call)?.has(key) === true;

/**
 * Asks once in a call, also if several requests need the account: the person gets one page. A tool that tries again after the person has
 * declined gets the same error.
 */
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
  required: InteractionRequired,
  what: Connecting,
  dependencies: WaitingDependencies,
): Promise<UpstreamToken> {
  const { call, name, key, scope } = what;
  const message = `${name} is not connected: the user has to allow this server to act at ${name}.`;
  const isAble = canOpenPages(call.capabilities);
  const link = required.uri ?? pageOf(call, key);
  // Another product may need the person for something else, and knows no scope of ours.
  if (isAble ? required.uri === undefined && !isShown(call, key) : required.scope !== scope)
    throw new ToolError(`${message} The authorization server names no page for it.`);
  const page: PageToOpen = {
    mode: 'url',
    message: `To go on, connect your ${name} account: the page shows what for.`,
    // Not sent if there is an answer already.
    url: link ?? '',
    elicitationId: randomUUID(),
  };
  const needed = new ConnectionNeeded(message, scope, page);
  if (!isAble) throw needed;
  notePage(call, key, link);
  const deadline = deadlineOf(what, required.expiresIn * 1000, dependencies.clock.now());
  if (required.isShown) {
    const found = await waitFor(what, { kind: 'page', page: link }, deadline, dependencies);
    // The call that showed the page has gone, so this one shows it.
    return found instanceof InteractionRequired ? connect(found, what, dependencies) : found;
  }
  return show(page, { ...what, needed, deadline }, dependencies);
}

interface Shown extends Connecting {
  readonly needed: ConnectionNeeded;
  readonly deadline: Deadline;
}

/** Shows the page, and waits for what the person does there: they may be done before they answer the client. */
async function show(page: PageToOpen, what: Shown, dependencies: WaitingDependencies): Promise<UpstreamToken> {
  const { call, name, key, needed, deadline } = what;
  const wish: Wish = { kind: 'none', page: page.url === '' ? undefined : page.url };
  const end = endOfCall(call);
  const wait = async (signal = end) => (await waitFor(what, wish, deadline, dependencies, signal)) as UpstreamToken;
  call.rounds?.note(lastShown(name), key);
  const [question, early] = [new AbortController(), new AbortController()];
  const asking = ask(call, key, page, AbortSignal.any([question.signal, call.ended])).catch((cause: unknown) => {
    throw Object.assign(needed, { cause });
  });
  const beforeAnswer = async (): Promise<UpstreamToken> => {
    const signal = AbortSignal.any([end, early.signal]);
    try {
      await moment(dependencies, signal);
      return await wait(signal);
    } finally {
      // The page has an answer, so the client needs none.
      if (!early.signal.aborted) question.abort('the question has an answer');
    }
  };
  // A question that ends the request has no meanwhile.
  const first = await Promise.race([asking, ...(call.rounds ? [] : [beforeAnswer()])]).finally(() => early.abort());
  if (first === 'decline' || first === 'cancel') {
    // The page is not shown to anybody else, and all calls that wait for it end.
    await what.exchange({ ...wish, kind: 'declined' }).catch(() => {});
    throw declined(name);
  }
  const token = first === 'accept' ? await wait() : first;
  if (!call.rounds) {
    const { elicitationId } = page;
    await call.notify({ method: 'notifications/elicitation/complete', params: { elicitationId } });
  }
  return token;
}

async function ask(
  call: Call,
  key: string,
  { elicitationId, ...page }: PageToOpen,
  signal: AbortSignal,
): Promise<ElicitResult['action']> {
  const params = call.rounds ? page : { ...page, elicitationId };
  return ElicitResultSchema.parse(await call.ask({ method: 'elicitation/create', params, key, signal })).action;
}
