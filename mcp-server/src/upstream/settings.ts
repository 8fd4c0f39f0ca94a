/**
 * Owns the settings of upstreams: the APIs and other MCP servers at which tools act for the person, and how this server identifies
 * itself when it exchanges a token (RFC 8693).
 */
import { UPSTREAM_SCOPE } from '@mcp-oauth/shared/contract';
import { plainHttpOutside } from '@mcp-oauth/shared/network/internal-host';
import {
  type Environment,
  optional,
  type Problem,
  readSettings,
  setting,
  type Values,
} from '@mcp-oauth/shared/settings/config';
import {
  familyPrefix,
  flawOfId,
  type Named,
  named,
  setTwice,
  unknownMembers,
  withDefaults,
} from '@mcp-oauth/shared/settings/family';
import * as type from '@mcp-oauth/shared/settings/types';
import { ownKeys } from './own-key.ts';

/** The settings of each upstream, after its prefix. */
export const settingsOfUpstream = {
  url: optional({
    env: 'URL',
    doc: 'URL of its API. Tokens are sent to its origin only. Default: `https://api.github.com` for the id `github`, and RESOURCE if it is set.',
    type: type.url(),
    example: 'https://api.github.com',
  }),
  moreHosts: optional({
    env: 'MORE_HOSTS',
    doc: 'More hosts to which its tokens may be sent over https, separated by commas, each with its port if that is not 443.',
    type: type.exactList(),
    example: 'uploads.github.com',
  }),
  audience: optional({
    env: 'AUDIENCE',
    doc: 'What the issuer calls this upstream (`audience` of RFC 8693 §2.1). Default: the id.',
    type: type.text(),
    example: 'github',
  }),
  resource: optional({
    env: 'RESOURCE',
    doc: 'Set if it is another MCP server: the identifier of that server (`resource` of RFC 8693 §2.1). Its tokens are bound to EXCHANGE_KEY (DPoP), where the issuer can do so.',
    type: type.url(),
    example: 'https://billing.example.com/mcp',
  }),
  scopes: optional({
    env: 'SCOPES',
    doc: 'Scopes to ask for, separated by spaces, of another MCP server only. Default: what the policy of the issuer allows.',
    type: type.list(),
    example: 'mcp:tools',
  }),
} as const;

export const upstreamSettings = {
  upstreams: optional({
    env: 'UPSTREAMS',
    doc: 'Ids of the upstreams at which tools act for the person: of auth-server the ids of connectors for tools, or ids of your choice for other MCP servers. The upstream `billing` is configured by `UPSTREAM_BILLING_…`, as [listed](#upstreams). Or an object in JSON: `{"github": {}, "billing": {"RESOURCE": "https://…/mcp"}}`.',
    type: named(settingsOfUpstream),
    example: 'github',
  }),
  exchangeClientId: setting({
    env: 'EXCHANGE_CLIENT_ID',
    doc: 'Client id by which this server exchanges the token of a caller for one of an upstream (RFC 8693).',
    type: type.text(),
    default: 'mcp-server',
  }),
  exchangeKeys: optional({
    env: 'EXCHANGE_KEY',
    doc: 'Private key of that client as a JWK or in PEM, the same on all replicas: `mcp-server exchange-key` makes one. The issuer reads its public half at `<PUBLIC_URL>/.well-known/jwks.json`. Required with UPSTREAMS. A JWK Set to change the key: the first one signs, and all are published.',
    type: ownKeys(),
    secret: true,
  }),
} as const;

/** An upstream as it is configured. */
export interface ConfiguredUpstream {
  readonly id: string;
  /** URL of its API; relative URLs of tools begin there. */
  readonly base: string;
  /** The origins to which its tokens may be sent. */
  readonly origins: ReadonlySet<string>;
  /** Which token is asked for: that of an account at a connector, or one for another MCP server. */
  readonly target: { readonly audience: string } | { readonly resource: string };
  readonly scopes: readonly string[] | undefined;
}

/** The scope whose approval connects the account of a person. */
export const scopeOf = ({ id, target }: Pick<ConfiguredUpstream, 'id' | 'target'>): string =>
  UPSTREAM_SCOPE + ('audience' in target ? target.audience : id);

const WORD = 'UPSTREAM';

/** What is known without a setting, by id. */
const DEFAULTS: Readonly<Record<string, Environment>> = { github: { URL: 'https://api.github.com' } };

type UpstreamValues = Values<typeof settingsOfUpstream>;

interface Reading {
  readonly upstreams: readonly ConfiguredUpstream[];
  readonly problems: readonly Problem[];
}

interface Context {
  readonly env: Environment;
  readonly environment: string | undefined;
  /** Whether EXCHANGE_KEY is set. */
  readonly hasKey: boolean;
}

export function readUpstreams(listed: Named = new Map(), context: Context): Reading {
  const ids = [...listed.keys()];
  const prefixes = ids.map((id) => familyPrefix(WORD, id));
  const readings = [...listed].map(([id, members], index): Reading => {
    const flaw = flawOfId(WORD, id, ids.slice(0, index));
    if (flaw) return { upstreams: [], problems: [{ env: 'UPSTREAMS', message: flaw }] };
    return readUpstream(id, members, context, prefixes);
  });
  const keyless = ids.length > 0 && !context.hasKey;
  const message =
    'is needed with UPSTREAMS: make a key with the command exchange-key, and name its file in EXCHANGE_KEY_FILE';
  return {
    upstreams: readings.flatMap(({ upstreams }) => upstreams),
    problems: [...(keyless ? [{ env: 'EXCHANGE_KEY', message }] : []), ...readings.flatMap(({ problems }) => problems)],
  };
}

function readUpstream(id: string, members: Environment, context: Context, others: readonly string[]): Reading {
  const { env, environment } = context;
  const prefix = familyPrefix(WORD, id);
  const own = withDefaults(env, prefix, { ...(Object.hasOwn(DEFAULTS, id) ? DEFAULTS[id] : {}), ...members });
  const { values, problems: unreadable } = readSettings(settingsOfUpstream, own, prefix);
  const { url = values.resource, moreHosts = [], audience, resource, scopes } = values;
  const add = (member: string, message: string | undefined | false): readonly Problem[] =>
    message ? [{ env: prefix + member, message }] : [];
  const isUnreadable = unreadable.some(({ env: name }) => name === `${prefix}URL` || name === `${prefix}RESOURCE`);
  const origins = moreHosts.map(originOf);
  const problems = [
    ...setTwice(members, env, prefix, 'UPSTREAMS'),
    ...unreadable,
    ...unknownMembers({ declared: settingsOfUpstream, env: own, prefix, others, owner: `the upstream ${id}` }),
    ...add(
      'URL',
      !isUnreadable && url === undefined && `is required: the URL of its API, or ${prefix}RESOURCE for an MCP server`,
    ),
    ...add('URL', environment === 'production' && plainHttpOutside(url)),
    ...add(
      'MORE_HOSTS',
      origins.includes(undefined) && 'expected hosts such as uploads.github.com, with or without a port',
    ),
    ...add('AUDIENCE', resource !== undefined && audience !== undefined && 'is only for an upstream without RESOURCE'),
    ...add('SCOPES', resource === undefined && scopes !== undefined && 'is only for another MCP server: set RESOURCE'),
  ];
  if (problems.length > 0 || url === undefined) return { upstreams: [], problems };
  return { upstreams: [configured(id, { ...values, url } as UpstreamValues & { url: string }, origins)], problems: [] };
}

function configured(
  id: string,
  { url, audience = id, resource, scopes }: UpstreamValues & { readonly url: string },
  more: readonly (string | undefined)[],
): ConfiguredUpstream {
  return {
    id,
    base: url,
    origins: new Set([new URL(url).origin, ...more.filter((one) => one !== undefined)]),
    target: resource === undefined ? { audience } : { resource },
    scopes,
  };
}

/** The origin of a host, over https. */
function originOf(host: string): string | undefined {
  if (!/^[a-z0-9.-]+(:\d+)?$|^\[[0-9a-f:]+\](:\d+)?$/i.test(host) || host.endsWith('.')) return undefined;
  return URL.parse(`https://${host}`)?.origin;
}
