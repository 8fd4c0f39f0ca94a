/** Owns what a failure means: its exit status, and one sentence that says what to do. */
import { UsageError } from '@mcp-oauth/shared/cli/command';
import { StartError } from '@mcp-oauth/shared/errors';
import {
  InsufficientScopeError,
  OAuthError,
  ProtocolError,
  SdkError,
  SdkErrorCode,
  SdkHttpError,
  UnauthorizedError,
} from '@modelcontextprotocol/client';

export const STATUS = {
  refused: 1,
  usage: 2,
  'sign-in-needed': 3,
  unreachable: 4,
  'person-needed': 5,
  /** As of a shell: 128 and SIGINT. */
  interrupted: 130,
} as const;

export interface Failure {
  readonly kind: keyof typeof STATUS;
  readonly says: string;
  /** The pages that a person has to open. */
  readonly pages?: readonly string[];
}

/** There are no tokens that the server accepts, and none can be had without a person. */
export class SignInNeeded extends Error {
  override readonly name = 'SignInNeeded';
}

/** Only a person can answer the server, and nobody can be asked. */
export class PersonNeeded extends Error {
  override readonly name = 'PersonNeeded';
  /** URLs that the person has to open. */
  readonly pages: readonly string[];

  constructor(message: string, pages: readonly string[] = []) {
    super(message);
    this.pages = pages;
  }
}

/** The person has ended the program. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

export function failureOf(error: unknown, url: URL): Failure {
  const signIn = (why: string, scope?: string) => ({
    kind: 'sign-in-needed' as const,
    says: `${why}. Sign in: npm run client -- ${url.href} login${scope === undefined ? '' : ` --scope ${quoted(scope)}`}`,
  });
  if (error instanceof UsageError) return { kind: 'usage', says: error.message };
  if (error instanceof SignInNeeded) return signIn(error.message);
  if (error instanceof PersonNeeded) return { kind: 'person-needed', says: error.message, pages: error.pages };
  if (error instanceof Interrupted) return { kind: 'interrupted', says: 'interrupted' };
  if (error instanceof InsufficientScopeError) {
    const { requiredScope: scope } = error;
    return signIn(`the server needs the scope ${scope ?? '(it does not say which)'} for this`, scope);
  }
  if (error instanceof UnauthorizedError) return signIn('the server does not accept the token');
  if (error instanceof SdkHttpError) return httpFailure(error, signIn);
  if (error instanceof OAuthError) {
    const says = `the authorization server answers ${error.code}: ${short(error.message)}`;
    return { kind: PASSING.has(error.code) ? 'unreachable' : 'refused', says };
  }
  if (error instanceof StartError) return { kind: 'refused', says: error.message };
  if (error instanceof ProtocolError) return { kind: 'refused', says: short(error.message) };
  // The negotiation of a revision fails for the reason for which its request fails.
  if (error instanceof SdkError && error.cause instanceof Error) return failureOf(error.cause, url);
  if (error instanceof SdkError && error.code === SdkErrorCode.CapabilityNotSupported) {
    const { method } = (error.data ?? {}) as { readonly method?: unknown };
    return { kind: 'refused', says: `this client does not have ${method}: ${wantOf(method)}` };
  }
  if (isNoMcp(error))
    return { kind: 'unreachable', says: `the answer is not one of an MCP server: ${short(error.message)}` };
  if (error instanceof SdkError) {
    const isGone = GONE.has(error.code);
    return {
      kind: isGone ? 'unreachable' : 'refused',
      says: short(isGone ? `no answer: ${error.message}` : error.message),
    };
  }
  if (error instanceof TypeError && error.message === 'fetch failed') {
    return { kind: 'unreachable', says: `the server can't be reached: ${reasonOf(error.cause)}` };
  }
  if (isLate(error)) return { kind: 'unreachable', says: 'no answer in time' };
  return { kind: 'refused', says: short(error instanceof Error ? error.message : String(error)) };
}

const WANTS: Readonly<Record<string, string>> = {
  'sampling/createMessage': 'the server wants a model (sampling)',
  'roots/list': 'the server wants the folders of a workspace (roots)',
};

/** What a request of a server is for. */
export const wantOf = (method: unknown): string => WANTS[String(method)] ?? 'it is of an extension of MCP';

const GONE: ReadonlySet<string> = new Set([
  SdkErrorCode.RequestTimeout,
  SdkErrorCode.ConnectionClosed,
  SdkErrorCode.SendFailed,
  SdkErrorCode.EraNegotiationFailed,
]);

/** The page of a proxy, or half an answer. */
const isNoMcp = (error: unknown): error is Error =>
  error instanceof SyntaxError ||
  (error instanceof SdkError && error.code === SdkErrorCode.ClientHttpUnexpectedContent);

/** The SDK takes any answer that is no OAuth error, such as the page of a proxy, for `server_error`. */
const PASSING: ReadonlySet<string> = new Set(['server_error', 'temporarily_unavailable']);

const LONGEST = 300;

/** Texts of others: one line, of which a person reads the beginning. No half of a word stays, since half of a token would not be hidden. */
function short(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= LONGEST ? line : line.slice(0, LONGEST).replace(/\S*$/, '…');
}

function httpFailure(error: SdkHttpError, signIn: (why: string) => Failure): Failure {
  const { status, text } = error.data as { readonly status: number; readonly text?: string | null };
  if (status === 401) return signIn('the server refuses the new token as well');
  const to = /Redirect to (\S+) not followed/.exec(error.message)?.[1];
  if (to !== undefined)
    return {
      kind: 'refused',
      says: `the server answers ${status}, a redirect to ${short(to)}: use that URL if you mean it`,
    };
  const says = `the server answers ${status}: ${short(text || error.message)}`;
  return { kind: status === 404 || status >= 500 ? 'unreachable' : 'refused', says };
}

const isLate = (error: unknown): boolean => error instanceof Error && error.name === 'TimeoutError';

/** Node.js tries all addresses of a name, and reports one error for each. */
function reasonOf(cause: unknown): string {
  const [first] = cause instanceof AggregateError ? cause.errors : [cause];
  // The message has the host: it may be the authorization server that can't be reached.
  return first instanceof Error && first.message ? first.message : 'no connection';
}

/** The scope is from the server, and the line may be pasted into a shell: it is quoted, or left out. */
const quoted = (scope: string): string => (/^[\w:./ -]+$/.test(scope) ? `'${scope}'` : "'…'");
