/** Owns the metrics of auth-server: which metrics there are, and which part of the service counts each. */
import type { RequestListener } from 'node:http';
import { auditEntries } from '@mcp-oauth/shared/audit/metrics';
import { AUTHORIZATION_SERVER_PATH, OPENID_CONFIGURATION_PATH, urlPath } from '@mcp-oauth/shared/contract';
import type { Declaration, Metric } from '@mcp-oauth/shared/metrics/declaration';
import { Counter, Histogram } from '@mcp-oauth/shared/metrics/metric';
import { buildInfo, redisTakesWrites, redisUp } from '@mcp-oauth/shared/metrics/process';
import { createRouteOf, requestDuration, timed } from '@mcp-oauth/shared/metrics/requests';
import { ASSERTION_REASONS } from './assertions/refused.ts';
import { ASSERTION_GRANT, DEVICE_GRANT, EXCHANGE_GRANT } from './clients/client.ts';
import type { UpstreamReason } from './federation/connector.ts';
import { withoutIssuerPath } from './http/issuer-path.ts';
import type { SignInObserver } from './http/sign-in/upstream-failure.ts';
import type { EngineCounts } from './provider/events.ts';
import type { CreateRateLimit } from './storage/rate-limit.ts';
import type { RecheckObserver } from './vault/answer.ts';

const PROBES = ['/livez', '/readyz'];

const ROUTES = [
  '/authorize',
  '/authorize/:uid',
  '/device_authorization',
  '/device',
  '/device/:uid',
  '/par',
  '/token',
  '/revoke',
  '/register',
  '/register/:client',
  '/interaction/:uid',
  '/interaction/:uid/approve',
  '/interaction/:uid/deny',
  '/interaction/:uid/finish',
  '/interaction/:uid/organisation',
  '/interaction/:uid/sign-out',
  '/callback/:connector',
  '/logout',
  '/sign-in',
  '/account',
  '/account/:act',
  '/admin',
  '/admin/:list',
  '/admin/end/:kind/:id',
  '/backchannel-logout/:connector',
  '/scim/v2/:connector/Users',
  '/scim/v2/:connector/Users/:id',
  '/jwks',
  '/status/:list',
  AUTHORIZATION_SERVER_PATH,
  OPENID_CONFIGURATION_PATH,
  ...PROBES,
];

/**
 * Error codes in the order in which they can occur: RFC 6749 §4.1.2.1 and §5.2, RFC 8707 §2, RFC 9449 §5, RFC 8628 §3.5,
 * RFC 7591 §3.2.2.
 */
const ERRORS = {
  authorization: [
    'invalid_request',
    'invalid_client',
    'invalid_redirect_uri',
    'unauthorized_client',
    'access_denied',
    'unsupported_response_type',
    'unsupported_response_mode',
    'invalid_scope',
    'invalid_target',
    'login_required',
    'consent_required',
    'interaction_required',
    'server_error',
    'temporarily_unavailable',
    'other',
  ],
  token: [
    'invalid_request',
    'invalid_client',
    'invalid_grant',
    'unauthorized_client',
    'unsupported_grant_type',
    'invalid_scope',
    'invalid_target',
    'invalid_dpop_proof',
    'interaction_required',
    'authorization_pending',
    'slow_down',
    'access_denied',
    'expired_token',
    'temporarily_unavailable',
    'other',
  ],
  exchange: [
    'invalid_request',
    'invalid_target',
    'invalid_scope',
    'invalid_grant',
    'invalid_dpop_proof',
    'interaction_required',
    'access_denied',
    'expired_token',
    'temporarily_unavailable',
    'too_many_pages',
    'other',
  ],
  registration: ['invalid_request', 'invalid_redirect_uri', 'invalid_client_metadata', 'invalid_token', 'other'],
};

const UPSTREAM_REASONS: readonly UpstreamReason[] = ['denied', 'unavailable', 'misconfigured', 'invalid_answer'];

const DECLARED = {
  duration: requestDuration(ROUTES),
  authorizations: {
    name: 'auth_authorizations_total',
    type: 'counter',
    help: 'Completed authorization requests, by result: a code, or an error.',
    labels: { result: ['granted', ...ERRORS.authorization] },
  },
  tokenRequests: {
    name: 'auth_token_requests_total',
    type: 'counter',
    help: 'Token requests, by grant type and result: tokens, or an error.',
    labels: {
      grant: [
        'authorization_code',
        'refresh_token',
        'client_credentials',
        DEVICE_GRANT,
        EXCHANGE_GRANT,
        ASSERTION_GRANT,
        'other',
      ],
      result: ['issued', ...ERRORS.token],
    },
  },
  assertions: {
    name: 'auth_assertions_refused_total',
    type: 'counter',
    help: 'ID-JAGs and JWTs of workloads that were refused, by reason; docs/troubleshooting.md explains each.',
    labels: { reason: ASSERTION_REASONS },
  },
  reuses: {
    name: 'auth_reuses_total',
    type: 'counter',
    help: 'Authorization codes, device codes and refresh tokens that were used a second time: either one was stolen, or a client repeats a request. The grant is revoked.',
    labels: { what: ['authorization_code', 'device_code', 'refresh_token'] },
  },
  exchanges: {
    name: 'auth_exchanges_total',
    type: 'counter',
    help: 'Exchanges of tokens, by target and result: for a connector, or for another MCP server (`resource`); `none`: the policy names no such target.',
    labels: { target: 'ids in CONNECTORS, `resource`, `none`', result: ['issued', ...ERRORS.exchange] },
  },
  signIns: {
    name: 'auth_sign_ins_total',
    type: 'counter',
    help: 'Sign-ins at an identity provider, by connector and result.',
    labels: { connector: 'ids in CONNECTORS', result: ['ok', ...UPSTREAM_REASONS] },
  },
  rechecks: {
    name: 'auth_upstream_rechecks_total',
    type: 'counter',
    help: 'Questions to an identity provider whether a person still has access, by connector and result. `ended`: the session there has ended. Only `denied` ends a grant at once.',
    labels: { connector: 'ids in CONNECTORS', result: ['ok', ...UPSTREAM_REASONS, 'ended'] },
  },
  renewals: {
    name: 'auth_upstream_renewals_total',
    type: 'counter',
    help: 'Renewals of the tokens of connected accounts at their provider, by connector and result. After `ended` and `denied` the person has to connect the account again.',
    labels: { connector: 'ids in CONNECTORS', result: ['ok', ...UPSTREAM_REASONS, 'ended'] },
  },
  registrations: {
    name: 'auth_registrations_total',
    type: 'counter',
    help: 'Attempts to register a client, by result.',
    labels: { result: ['created', ...ERRORS.registration] },
  },
  limited: {
    name: 'auth_rate_limited_total',
    type: 'counter',
    help: 'Requests above a rate limit, by limit. `failure` counts the requests that failed above the limit; until the minute is over, further requests of that address are refused without being counted.',
    labels: {
      limit: [
        'authorize',
        'approve',
        'revoke',
        'device-page',
        'device-entry',
        'device-codes',
        'device-client',
        'device-poll',
        'failure',
        'scim',
        'personal-token',
        'connect-link',
        'register',
        'register-all',
        'client-host',
        'client-document',
      ],
    },
  },
} as const satisfies Record<string, Declaration>;

/** All of auth-server, for the documentation. */
export const declarations: readonly Declaration[] = [
  ...Object.values(DECLARED),
  auditEntries,
  redisUp,
  redisTakesWrites,
  buildInfo,
];

export interface Meters extends EngineCounts {
  /** Wraps the handler of the whole service. */
  timed(handler: RequestListener): RequestListener;
  /** Wraps the function that creates rate limits. */
  limits(create: CreateRateLimit): CreateRateLimit;
  readonly onSignIn: SignInObserver;
  readonly onRecheck: RecheckObserver;
  readonly onRenewal: RecheckObserver;
  readonly all: readonly Metric[];
}

/** The meters outlive every engine, and keep numbers only. */
export function createMeters(issuer: string): Meters {
  const duration = new Histogram(DECLARED.duration);
  const authorizations = new Counter(DECLARED.authorizations);
  const tokenRequests = new Counter(DECLARED.tokenRequests);
  const assertions = new Counter(DECLARED.assertions);
  const reuses = new Counter(DECLARED.reuses);
  const exchanges = new Counter(DECLARED.exchanges);
  const signIns = new Counter(DECLARED.signIns);
  const rechecks = new Counter(DECLARED.rechecks);
  const renewals = new Counter(DECLARED.renewals);
  const registrations = new Counter(DECLARED.registrations);
  const limited = new Counter(DECLARED.limited);
  return {
    timed: (handler) => timed(handler, duration, routesUnder(urlPath(issuer))),
    limits: (create) => (options) => {
      const limit = create(options);
      return {
        take: async (key, cost) => {
          const wait = await limit.take(key, cost);
          if (wait > 0) limited.add(options.name);
          return wait;
        },
      };
    },
    onAuthorization: (result) => authorizations.add(result),
    onTokenRequest: (grantType, result) => tokenRequests.add(grantType, result),
    onAssertionRefused: (reason) => assertions.add(reason),
    onReuse: (what) => reuses.add(what),
    onExchange: (target, result) => exchanges.add(target, result),
    onSignIn: (connector, result) => signIns.add(connector, result),
    onRecheck: (connector, result) => rechecks.add(connector, result),
    onRenewal: (connector, result) => renewals.add(connector, result),
    onRegistration: (result) => registrations.add(result),
    all: [
      duration,
      authorizations,
      tokenRequests,
      assertions,
      reuses,
      exchanges,
      signIns,
      rechecks,
      renewals,
      registrations,
      limited,
    ],
  };
}

/** Only the probes are outside the path of the issuer. */
function routesUnder(path: string): (path: string) => string {
  const routeOf = createRouteOf(ROUTES);
  return (asked) => routeOf(PROBES.includes(asked) ? asked : (withoutIssuerPath(asked, path) ?? ''));
}
