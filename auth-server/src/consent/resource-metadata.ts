/**
 * Owns what a resource says of its scopes in its own metadata (RFC 9728 §2 `scopes_supported`): read when first needed, kept
 * as long as it says, renewed in the background, and believed while it can't be reached. A tool with a new scope needs no
 * change here, and this server starts without any resource.
 */
import type { Clock } from '@mcp-oauth/shared/clock';
import { canonicalResource, SCOPES } from '@mcp-oauth/shared/contract';
import type { Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import { createRemoteDocument, fetchDocument, type OnFailure } from '@mcp-oauth/shared/remote-document';
import { z } from 'zod';

export type Scopes = Readonly<Record<string, string>>;

export interface ScopeSource {
  /** With the words for people; absent until the resource was heard, and where it names none. */
  current(): Scopes | undefined;
  /** Waits for the first answer, once; every later one comes in the background. Never fails. */
  ready(): Promise<void>;
  /** Asks again, unless it was just done: somebody names a scope that is not known. Never fails. */
  renew(): Promise<void>;
  /** Grows whenever the scopes become others; has old ones renewed in the background. */
  revision(): number;
}

export interface ScopeSourceOptions {
  readonly url: string;
  /** What the document may call the resource. */
  readonly identifiers: readonly string[];
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly onFailure: OnFailure;
  readonly onRecovery?: () => void;
}

/** RFC 6749 §3.3 scope-token. */
export const SCOPE_NAME = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** Scopes of the sign-in, which are this server's to give, whatever a resource says. */
const NOT_OF_A_RESOURCE = new Set(['openid', 'offline_access']);
const MAX_SCOPES = 200;
const LONGEST_NAME = 200;

/** Seconds: what the document says of itself, within reason. */
const [SHORTEST, USUAL, LONGEST] = [30, 300, 3_600];

/** The scopes are read one by one: a member that is no name of a scope says nothing about the others. */
const schema = z.looseObject({ resource: z.string(), scopes_supported: z.array(z.unknown()).nullish() });

interface Said {
  readonly scopes: Scopes | undefined;
  readonly maxAge: number;
}

export function createScopeSource(options: ScopeSourceOptions): ScopeSource {
  let said: Said | undefined;
  let first: Promise<void> | undefined;
  let revision = 0;
  const load = async (): Promise<Said> => {
    const heard = await read(options);
    if (JSON.stringify(heard.scopes) !== JSON.stringify(said?.scopes)) revision += 1;
    said = heard;
    return heard;
  };
  const { clock, onFailure, onRecovery } = options;
  const document = createRemoteDocument({ load, clock, maxAge: ({ maxAge }) => maxAge, onFailure, onRecovery });
  const touch = () => {
    if (said) document.touch();
    else void settled(document.get());
  };
  return {
    current: () => said?.scopes,
    ready: async () => {
      if (first) touch();
      first ??= settled(document.get());
      await first;
    },
    renew: () => settled(document.renew()),
    revision: () => {
      touch();
      return revision;
    },
  };
}

const settled = (asked: Promise<unknown>): Promise<void> =>
  asked.then(
    () => undefined,
    () => undefined,
  );

async function read({ url, identifiers, fetch }: ScopeSourceOptions): Promise<Said> {
  const { body, headers } = await fetchDocument(fetch, url);
  const { resource, scopes_supported: members } = schema.parse(body);
  // RFC 9728 §3.3: a document about something else must not be used.
  if (!identifiers.map(canonicalResource).includes(canonicalResource(resource))) {
    throw new Error(`${url} is about the resource ${JSON.stringify(resource)}`);
  }
  const names = (members ?? []).filter((member) => typeof member === 'string');
  if (members?.length && names.length === 0) throw new Error(`no member of scopes_supported in ${url} is a name`);
  const usable = names.filter((name) => SCOPE_NAME.test(name) && name.length <= LONGEST_NAME);
  const scopes = [...new Set(usable)].filter((name) => !NOT_OF_A_RESOURCE.has(name)).slice(0, MAX_SCOPES);
  return { scopes: scopes.length > 0 ? described(scopes) : undefined, maxAge: maxAgeOf(headers) };
}

/** A scope that nobody described stands for itself. */
const described = (names: readonly string[]): Scopes =>
  Object.fromEntries(names.map((name) => [name, Object.hasOwn(SCOPES, name) ? (SCOPES[name] ?? name) : name]));

/** RFC 9111 §5.2.2.1 */
function maxAgeOf(headers: Headers): number {
  const [, told] = /(?:^|[\s,])max-age="?(\d{1,9})/i.exec(headers.get('cache-control') ?? '') ?? [];
  return told === undefined ? USUAL : Math.min(Math.max(Number(told), SHORTEST), LONGEST);
}
