/**
 * Owns one question to the issuer about a token (RFC 7662 §2.1, RFC 9701 §4): where it goes, how this server authenticates, and the
 * limits of the answer. The token is in the body, and nothing of it is in an error.
 */
import { readText } from '@mcp-oauth/shared/documents/remote-document';
import { isObject } from '@mcp-oauth/shared/json';
import { type Fetch, plainly } from '@mcp-oauth/shared/network/outgoing-fetch';
import type { Authenticated } from './credentials.ts';
import type { IntrospectionEndpoint } from './endpoint.ts';
import type { Claims } from './judgement.ts';
import { SIGNED } from './signed-answer.ts';

export interface QuestionOptions {
  readonly endpoint: () => Promise<IntrospectionEndpoint>;
  /** What authenticates this server, for each question anew. */
  readonly authenticate: () => Promise<Authenticated>;
  readonly fetch: Fetch;
  /** Checks a signed answer. @returns the answer that it contains */
  readonly open: (jwt: string) => Promise<unknown>;
  /** Milliseconds until the last byte of the answer. */
  readonly timeout?: number;
}

/** Asks about a token. @returns the claims of an active token; nothing for one that is not active. @throws Unanswered */
export type Ask = (token: string) => Promise<Claims | undefined>;

/** The issuer was not reached, or its answer says nothing. */
export class Unanswered extends Error {
  override readonly name = 'Unanswered';
  /** Whether the issuer rejects the question because of this token, as some do with what they can't read. */
  readonly isRejected: boolean;

  constructor(message: string, { cause, isRejected = false }: { cause?: unknown; isRejected?: boolean } = {}) {
    super(message, { cause });
    this.isRejected = isRejected;
  }
}

const TIMEOUT = 5_000;
const MAX_BYTES = 64 * 1_024;

const ACCEPT: Readonly<Record<IntrospectionEndpoint['answers'], string>> = {
  json: 'application/json',
  either: `${SIGNED}, application/json;q=0.5`,
  signed: SIGNED,
};

export function createQuestion(options: QuestionOptions): Ask {
  return async (token) => {
    try {
      return claimsIn(await answerTo(token, options));
    } catch (error) {
      if (error instanceof Unanswered) throw error;
      throw new Unanswered('there is no usable answer', { cause: error });
    }
  };
}

async function answerTo(
  token: string,
  { endpoint, authenticate, fetch, open, timeout = TIMEOUT }: QuestionOptions,
): Promise<unknown> {
  const { url, answers } = await endpoint();
  const { headers, form } = await authenticate();
  const response = await plainly(fetch)(url, {
    method: 'POST',
    headers: { ...headers, accept: ACCEPT[answers], 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ ...form, token, token_type_hint: 'access_token' }).toString(),
    redirect: 'error',
    signal: AbortSignal.timeout(timeout),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    // RFC 7662 §2.3: 401 and 403 are about the credentials of this server.
    throw new Unanswered(`${url} answered ${response.status}`, { isRejected: [400, 422].includes(response.status) });
  }
  const text = await readText(response, url, MAX_BYTES);
  const [type = ''] = (response.headers.get('content-type') ?? '').split(';');
  if (type.trim().toLowerCase() === SIGNED) return open(text);
  if (answers === 'signed') throw new Unanswered(`${url} answered without a signature`);
  return parsed(text, url);
}

/** The error of JSON.parse quotes its text, which may contain the token. */
function parsed(text: string, url: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Unanswered(`${url} answered no JSON`);
  }
}

/** RFC 7662 §2.2: `active` is a boolean. A text such as "false" would be true to a careless reader. */
function claimsIn(answer: unknown): Claims | undefined {
  if (!isObject(answer) || typeof answer.active !== 'boolean') {
    throw new Unanswered('the answer has no member `active` that is true or false');
  }
  return answer.active ? answer : undefined;
}
