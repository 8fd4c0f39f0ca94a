/**
 * Owns what is read from the metadata of a resource (RFC 9728 §2 `scopes_supported`, `resource_name`): fetched when first needed,
 * cached as long as the resource says, renewed in the background, and used for a week while the resource is unreachable. So a tool
 * with a new scope needs no change here, and this server starts without any resource.
 */
import type { Clock } from '@mcp-oauth/shared/clock';
import { canonicalResource, SCOPE_TOKEN, TOOLS_BY_SCOPE } from '@mcp-oauth/shared/contract';
import { createRemoteDocument, fetchDocument, type OnFailure } from '@mcp-oauth/shared/documents/remote-document';
import type { Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import { z } from 'zod';
import { displayName } from './display-name.ts';
import { describeScopes, type Scopes } from './scope-description.ts';
import { NO_TOOLS, readToolsByScope, type ToolsByScope } from './scope-tools.ts';

export interface ScopeSource {
  /** Scopes with their descriptions; absent until the metadata was read, and if it names none. */
  current(): Scopes | undefined;
  /** The name of the resource for people; absent until the metadata was read, and if it has none. */
  name(): string | undefined;
  /** The tools behind each scope, as far as the metadata describes them. */
  tools(): ToolsByScope;
  /** Waits for the first answer; later ones are fetched in the background. Never fails. */
  ready(): Promise<void>;
  /** Fetches again, unless that was just done, because a request names an unknown scope. Never fails. */
  renew(): Promise<void>;
  /** Grows whenever the scopes change; renews old ones in the background. */
  revision(): number;
}

export interface ScopeSourceOptions {
  readonly url: string;
  /** Accepted values of `resource` in the document. */
  readonly identifiers: readonly string[];
  /** The operator's texts for scopes. */
  readonly words?: Scopes;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly onFailure: OnFailure;
  readonly onRecovery?: () => void;
}

/** Scopes of the sign-in: they belong to this server, even if a resource lists them. */
const NOT_OF_A_RESOURCE = new Set(['openid', 'offline_access']);
const MAX_SCOPES = 200;
const LONGEST_NAME = 200;

/** Seconds: bounds for the lifetime that the document states. */
const [SHORTEST, USUAL, LONGEST] = [30, 300, 3_600];

/** Scopes are validated one by one: an invalid member does not affect the others. */
const schema = z.looseObject({
  resource: z.string(),
  resource_name: z.unknown().optional(),
  scopes_supported: z.array(z.unknown()).nullish(),
  [TOOLS_BY_SCOPE]: z.unknown().optional(),
});

interface PublishedMetadata {
  readonly scopes: Scopes | undefined;
  readonly name: string | undefined;
  readonly tools: ToolsByScope;
  readonly maxAge: number;
}

export function createScopeSource(options: ScopeSourceOptions): ScopeSource {
  let published: PublishedMetadata | undefined;
  let first: Promise<void> | undefined;
  let revision = 0;
  const load = async (): Promise<PublishedMetadata> => {
    const loaded = await read(options);
    if (JSON.stringify(loaded.scopes) !== JSON.stringify(published?.scopes)) revision += 1;
    published = loaded;
    return loaded;
  };
  const { clock, onFailure, onRecovery } = options;
  const document = createRemoteDocument({ load, clock, maxAge: ({ maxAge }) => maxAge, onFailure, onRecovery });
  const touch = () => {
    if (published && document.loadedAt() === undefined) {
      // The same state as after a start without the resource: existing approvals are known from their grants.
      published = undefined;
      revision += 1;
    }
    if (published) document.touch();
    else document.get().catch(() => {});
  };
  return {
    current: () => published?.scopes,
    name: () => published?.name,
    tools: () => published?.tools ?? NO_TOOLS,
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

async function read({ url, identifiers, fetch, words }: ScopeSourceOptions): Promise<PublishedMetadata> {
  const { body, headers } = await fetchDocument(fetch, url);
  const { resource, resource_name: name, scopes_supported: members, [TOOLS_BY_SCOPE]: tools } = schema.parse(body);
  // RFC 9728 §3.3: a document about something else must not be used.
  if (!identifiers.map(canonicalResource).includes(canonicalResource(resource))) {
    throw new Error(`${url} is about the resource ${JSON.stringify(resource)}`);
  }
  const names = (members ?? []).filter((member) => typeof member === 'string');
  if (members?.length && names.length === 0) throw new Error(`no member of scopes_supported in ${url} is a name`);
  const usable = names.filter((name) => SCOPE_TOKEN.test(name) && name.length <= LONGEST_NAME);
  const scopes = [...new Set(usable)].filter((name) => !NOT_OF_A_RESOURCE.has(name)).slice(0, MAX_SCOPES);
  return {
    scopes: scopes.length > 0 ? describeScopes(scopes, words) : undefined,
    name: typeof name === 'string' ? displayName(name) : undefined,
    tools: readToolsByScope(tools, scopes),
    maxAge: maxAgeOf(headers),
  };
}

/** RFC 9111 §5.2.2.1 */
function maxAgeOf(headers: Headers): number {
  const [, told] = /(?:^|[\s,])max-age="?(\d{1,9})/i.exec(headers.get('cache-control') ?? '') ?? [];
  return told === undefined ? USUAL : Math.min(Math.max(Number(told), SHORTEST), LONGEST);
}
