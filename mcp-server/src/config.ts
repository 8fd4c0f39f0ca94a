/** Owns every setting of mcp-server: its name, what it does, what it may be, and what production demands of it. */

import { ACCESS_TOKEN_TYPE, BASE_SCOPE, resourceIdentifiers } from '@mcp-oauth/shared/contract';
import { plainHttpOutside } from '@mcp-oauth/shared/network/internal-host';
import {
  type Environment,
  loadConfig,
  optional,
  type Problem,
  setting,
  type Values,
} from '@mcp-oauth/shared/settings/config';
import { metricsSettings } from '@mcp-oauth/shared/settings/metrics';
import { processSettings } from '@mcp-oauth/shared/settings/process';
import { judgeRedis, redisSettings, redisTargetOf } from '@mcp-oauth/shared/settings/redis';
import * as type from '@mcp-oauth/shared/settings/types';
import { z } from 'zod';
import { ASYMMETRIC_ALGORITHMS } from './authorization/access-token.ts';
import { type ScopeHierarchy, scopeHierarchy } from './authorization/scope-hierarchy.ts';

const subsetOf = (choices: readonly string[]) =>
  type.list().refine((values) => values.length > 0 && values.every((value) => choices.includes(value)), {
    message: `expected some of ${choices.join(', ')}`,
  });

/** RFC 6749 §3.3 scope-token. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
const scope = () => type.text().refine((value) => SCOPE.test(value), { message: 'expected one scope' });

const hierarchy = () =>
  type.list().transform((chains, context): ScopeHierarchy => {
    const parts = chains.map((chain) => chain.split('>'));
    const whole = parts.every((chain) => chain.length > 1 && chain.every((one) => SCOPE.test(one)));
    try {
      if (whole) return scopeHierarchy(parts);
      context.addIssue({ code: 'custom', message: 'expected scopes such as mcp:admin>mcp:tools, separated by commas' });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
    }
    return z.NEVER;
  });

export const settings = {
  publicUrl: setting({
    env: 'PUBLIC_URL',
    doc: 'Origin under which clients reach this server; its MCP endpoint is this with /mcp at the end.',
    type: type.origin(),
    default: 'http://localhost:8080',
    example: 'https://mcp.example.com',
  }),
  port: optional({
    env: 'PORT',
    doc: 'Port to listen on. Default: the port of PUBLIC_URL, or 8080.',
    type: type.port(),
    example: '8080',
  }),
  ...processSettings,
  ...metricsSettings,
  serverName: setting({
    env: 'SERVER_NAME',
    doc: 'Name of this server, as people and clients see it.',
    type: type.text(),
    default: 'MCP OAuth Server',
  }),
  issuer: setting({
    env: 'ISSUER',
    doc: 'Issuer of the access tokens, exactly as it stands in their `iss`: auth-server or any other authorization server.',
    type: type.issuer(),
    default: 'http://localhost:9000',
    example: 'https://auth.example.com',
  }),
  issuerInternalUrl: optional({
    env: 'ISSUER_INTERNAL_URL',
    doc: 'Where this server reaches the issuer, when that is not where browsers do: metadata and keys are asked for here. In production http only inside the network.',
    type: type.url(),
    example: 'http://auth-server:9000',
  }),
  jwksUrl: optional({
    env: 'JWKS_URL',
    doc: "Where the issuer's public keys are. Default: the `jwks_uri` of its metadata. In production http only inside the network.",
    type: type.url(),
    example: 'https://auth.example.com/jwks',
  }),
  jwksMaxAge: setting({
    env: 'JWKS_MAX_AGE',
    doc: "How long the issuer's public keys are kept before they are read again, which is how long a withdrawn key can live on. A key that is missing is asked for at once, twice a minute at the most.",
    type: type.duration(1, 86_400),
    default: '5m',
  }),
  audiences: optional({
    env: 'AUDIENCES',
    doc: 'Values of `aud` that mean this server. Default: PUBLIC_URL with /mcp, with /sse, and alone.',
    type: type.list().refine((values) => values.length > 0, { message: 'expected at least one value' }),
    example: 'https://mcp.example.com/mcp',
  }),
  tokenTypes: setting({
    env: 'TOKEN_TYPES',
    doc: 'Values of the `typ` header of access tokens. Add JWT for an issuer that does not follow RFC 9068; its ID tokens are then told apart by their audience only.',
    type: subsetOf([ACCESS_TOKEN_TYPE, 'JWT']),
    default: ACCESS_TOKEN_TYPE,
  }),
  tokenAlgorithms: setting({
    env: 'TOKEN_ALGORITHMS',
    doc: 'Signature algorithms that access tokens may use; only asymmetric ones can be named.',
    type: subsetOf(ASYMMETRIC_ALGORITHMS),
    default: 'ES256,EdDSA,Ed25519,RS256,PS256',
  }),
  clockTolerance: setting({
    env: 'CLOCK_TOLERANCE',
    doc: "How far this machine's clock and the issuer's may differ, from 0s to 60s.",
    type: type.duration(0, 60),
    default: '5s',
  }),
  dpopRequired: setting({
    env: 'DPOP_REQUIRED',
    doc: 'Whether only access tokens are taken that are bound to a key (DPoP, RFC 9449). A bound token always has to come with a proof of its key; with `false` tokens that are not bound are taken as well.',
    type: type.flag(),
    default: 'false',
  }),
  dpopNonceRequired: setting({
    env: 'DPOP_NONCE_REQUIRED',
    doc: 'Whether every DPoP proof needs a nonce of this server, which costs a client one more request at first. With `false` only a client whose clock is off by more than CLOCK_TOLERANCE is asked for one.',
    type: type.flag(),
    default: 'false',
  }),
  baseScope: setting({
    env: 'BASE_SCOPE',
    doc: 'Scope that every call needs; `none` for an issuer that can not grant scopes.',
    type: scope(),
    default: BASE_SCOPE,
  }),
  scopeHierarchy: optional({
    env: 'SCOPE_HIERARCHY',
    doc: 'Scopes that come with others: who holds the first of `mcp:admin>mcp:tools` needs no token with the second. Chains may be longer, and there may be several.',
    type: hierarchy(),
    example: 'mcp:admin>mcp:tools',
  }),
  unpermittedTools: setting({
    env: 'UNPERMITTED_TOOLS',
    doc: 'Whether tools, resources and prompts whose scope a caller lacks are in its lists. `list`: it sees what it could ask for. `hide`: it does not, nor does the landing page show them; using them is answered alike, with 403.',
    type: type.oneOf('list', 'hide'),
    default: 'list',
  }),
  builtInTools: setting({
    env: 'BUILT_IN_TOOLS',
    doc: 'Whether the tools, resources and prompts that this server brings along are offered.',
    type: type.flag(),
    default: 'true',
  }),
  toolsDir: optional({
    env: 'TOOLS_DIR',
    doc: 'Folder with `*.tool.ts`, `*.resource.ts` and `*.prompt.ts` files (or .js) that are offered as well. Whoever can write there decides what this server does. Outside production, changes are picked up while it runs.',
    type: type.text(),
    example: '/tools',
  }),
  toolsDirStrict: setting({
    env: 'TOOLS_DIR_STRICT',
    doc: 'Whether one broken file in TOOLS_DIR keeps the server from starting; otherwise the file is named in the log and left out.',
    type: type.flag(),
    default: 'false',
  }),
  allowedOrigins: optional({
    env: 'ALLOWED_ORIGINS',
    doc: 'Origins of web pages that may call this server, beside its own. On a loopback PUBLIC_URL every loopback origin may.',
    type: type.origins(),
    example: 'https://inspector.example.com',
  }),
  allowedHosts: optional({
    env: 'ALLOWED_HOSTS',
    doc: 'Host names under which this server may be called beside that of PUBLIC_URL, such as one inside a cluster.',
    type: type.list(),
    example: 'mcp-server,mcp-server:8080',
  }),
  sessionIdleTimeout: setting({
    env: 'SESSION_IDLE_TIMEOUT',
    doc: 'A session without a request, a running call or an open stream for this long ends.',
    type: type.duration(),
    default: '30m',
  }),
  sessionMaxAge: setting({
    env: 'SESSION_MAX_AGE',
    doc: 'A session ends after this long in any case; its client opens a new one by itself.',
    type: type.duration(),
    default: '24h',
  }),
  streamEvents: setting({
    env: 'STREAM_EVENTS',
    doc: 'Events of one stream that are kept for a client whose connection broke; also bounded to 1 MiB.',
    type: type.integer(10, 100_000),
    default: '1000',
  }),
  ...redisSettings,
  maxSessions: setting({
    env: 'MAX_SESSIONS',
    doc: 'Most sessions at a time.',
    type: type.integer(1, 1_000_000),
    default: '10000',
  }),
  maxSessionsPerPrincipal: setting({
    env: 'MAX_SESSIONS_PER_PRINCIPAL',
    doc: 'Most sessions at a time of one person, whatever clients they use.',
    type: type.integer(1, 100_000),
    default: '1000',
  }),
  maxSubscriptions: setting({
    env: 'MAX_SUBSCRIPTIONS',
    doc: 'Most streams at a time on which clients of MCP 2026-07-28 listen for changes, on one replica.',
    type: type.integer(1, 1_000_000),
    default: '10000',
  }),
  maxSubscriptionsPerPrincipal: setting({
    env: 'MAX_SUBSCRIPTIONS_PER_PRINCIPAL',
    doc: 'Most of these streams at a time of one person, whatever clients they use, on one replica.',
    type: type.integer(1, 100_000),
    default: '100',
  }),
  sealingKeys: optional({
    env: 'SEALING_KEYS',
    doc: 'Keys that seal what clients keep for this server, such as `requestState` of MCP 2026-07-28: 32 bytes each in base64, separated by commas. The first seals, all open. Not set: made anew every day and shared over Redis, or known to one process alone.',
    type: type.secretKeys(),
    secret: true,
  }),
} as const;

export type Config = ReturnType<typeof readConfig>;

/** @throws ConfigError naming every bad variable */
export function readConfig(env: Environment) {
  const values = loadConfig(settings, env, (readable) => [...judgeRedis(readable), ...productionRules(readable)]);
  return Object.freeze({
    ...values,
    redisUrl: redisTargetOf(values),
    port: values.port ?? (Number(new URL(values.publicUrl).port) || 8080),
    allowedOrigins: values.allowedOrigins ?? [],
    allowedHosts: values.allowedHosts ?? [],
    scopeHierarchy: values.scopeHierarchy ?? scopeHierarchy([]),
    audiences: values.audiences ?? resourceIdentifiers(values.publicUrl),
    baseScope: values.baseScope === 'none' ? undefined : values.baseScope,
  });
}

/** RFC 6750 §5.3: bearer tokens travel over TLS only; public keys may come over plain http from inside the network. */
function productionRules(values: Partial<Values<typeof settings>>): Problem[] {
  const { environment, publicUrl, issuer, issuerInternalUrl, jwksUrl } = values;
  if (environment !== 'production') return [];
  const plain = Object.entries({ PUBLIC_URL: publicUrl, ISSUER: issuer })
    .filter(([, url]) => url?.startsWith('http:'))
    .map(([env, url]) => ({ env, message: `must use https in production (got ${JSON.stringify(url)})` }));
  const outside = Object.entries({ ISSUER_INTERNAL_URL: issuerInternalUrl, JWKS_URL: jwksUrl }).flatMap(
    ([env, url]) => {
      const message = plainHttpOutside(url);
      return message ? [{ env, message }] : [];
    },
  );
  return [...plain, ...outside];
}
