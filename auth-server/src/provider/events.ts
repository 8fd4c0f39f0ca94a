/**
 * Owns how events of the engine are logged, counted and written to the audit: with the real reason, which clients do not get, and
 * without secrets.
 */
import type { AuditEvent } from '@mcp-oauth/shared/audit/events';
import { HttpError } from '@mcp-oauth/shared/errors';
import type { Logger } from '@mcp-oauth/shared/logger';
import type Provider from 'oidc-provider';
import type { errors, KoaContextWithOIDC } from 'oidc-provider';
import { ClientDocumentError } from '../client-documents/document-error.ts';
import { EXCHANGE_GRANT } from '../clients/client.ts';
import { flowOf } from '../consent/interaction.ts';
import { stateOf } from '../context-state.ts';
import { refusedAssertion } from './grants/assertion-error.ts';
import { isHeld } from './overrides/held-errors.ts';
import { digest } from './records/grants.ts';

/** RFC 9700 §4.14.2, RFC 6749 §10.5: errors that only occur if two parties have the same token or code. */
const REUSE: Readonly<Record<string, string>> = {
  'refresh token already used': 'refresh token reused',
  'authorization code already consumed': 'authorization code reused',
  'device code already consumed': 'device code reused',
};

/** The events of grants that have their own. */
const ISSUED: Readonly<Record<string, AuditEvent>> = {
  refresh_token: 'token.refreshed',
  [EXCHANGE_GRANT]: 'token.exchanged',
};

/** Counters of the metrics. Each gets a value from a short list, never data of a request. */
export interface EngineCounts {
  /** @param result `granted`, or the error of RFC 6749 §4.1.2.1 */
  onAuthorization(result: string): void;
  /** @param result `issued`, or the error of RFC 6749 §5.2 */
  onTokenRequest(grantType: string, result: string): void;
  /** @param target the id of a connector, `resource`, or `none` if the policy names no such target; @param result `issued`, or the error */
  onExchange(target: string, result: string): void;
  /** @param reason of the closed list in assertions/refused.ts */
  onAssertionRefused(reason: string): void;
  /** @param result `created`, or the error of RFC 7591 §3.2.2 */
  onRegistration(result: string): void;
  /** @param what the type of the code or token that was used a second time */
  onReuse(what: string): void;
}

const logOf = (ctx: KoaContextWithOIDC): Logger => stateOf(ctx).log;

const partiesOf = ({ oidc }: KoaContextWithOIDC) => ({
  client: oidc.entities.Client?.clientId,
  subject: oidc.entities.Account?.accountId,
});

/** Adds the engine's detail, except for a body that cannot be parsed: that detail quotes the body. */
const reasonOf = (error: errors.OIDCProviderError): string => {
  const said = error.error_description ?? error.message;
  return error.error_detail && !said.startsWith('failed to parse') ? `${said}: ${error.error_detail}` : said;
};

/** Why a client metadata document could not be used, as a tagged reason. */
const documentOf = ({ cause }: Error) =>
  cause instanceof ClientDocumentError ? { document: { host: cause.host, reason: cause.reason } } : undefined;

/** The id of the grant that a request is about, as commands show it. */
export const grantOf = ({ oidc }: KoaContextWithOIDC): string | undefined => {
  const { Grant, AuthorizationCode, RefreshToken, DeviceCode } = oidc.entities;
  const id = Grant?.jti ?? AuthorizationCode?.grantId ?? RefreshToken?.grantId ?? DeviceCode?.grantId;
  return id === undefined ? undefined : digest(id);
};

type Facts = Partial<Omit<Parameters<ReturnType<typeof stateOf>['audit']>[0], 'event'>>;

/** An entry with the parties of the request, and the flow if the engine knows the sign-in. */
function note(ctx: KoaContextWithOIDC, event: AuditEvent, facts: Facts = {}): void {
  const state = stateOf(ctx);
  const { entities, route, params } = ctx.oidc;
  const isResumed = route === 'resume' || route === 'device_resume';
  const uid = isResumed ? ctx.path.slice(ctx.path.lastIndexOf('/') + 1) : entities.Interaction?.uid;
  if (uid !== undefined) state.flow ??= flowOf(uid);
  const { client, subject: who } = partiesOf(ctx);
  const resource = typeof params?.resource === 'string' ? params.resource : undefined;
  state.audit({ event, outcome: 'ok', who, client, resource, grant: grantOf(ctx), ...facts });
}

const grantTypeOf = ({ oidc }: KoaContextWithOIDC) => ({ grantType: textOf(oidc.params?.grant_type) });

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

const refusal = (event: string, audited: AuditEvent) => (ctx: KoaContextWithOIDC, error: errors.OIDCProviderError) => {
  const threat = REUSE[error.error_detail ?? ''];
  const told = isHeld(error) ? { told: 'the person, not the client' } : undefined;
  const reason = reasonOf(error);
  const line = {
    error: error.error,
    reason,
    ...told,
    ...documentOf(error),
    ...refusedAssertion(error),
    ...partiesOf(ctx),
  };
  // A device asks every few seconds while its person signs in (RFC 8628 §3.5), and a tool while its person connects an account.
  const isPending =
    error.error === 'authorization_pending' ||
    (error.error === 'interaction_required' && stateOf(ctx).isWaiting === true);
  if (threat) logOf(ctx).warn({ ...line, threat }, 'security');
  else logOf(ctx)[isPending ? 'debug' : 'info'](line, event);
  const details = { error: error.error, ...grantTypeOf(ctx), ...stateOf(ctx).details };
  const isExchange = stateOf(ctx).details !== undefined && ctx.oidc.params?.grant_type === EXCHANGE_GRANT;
  const refused = isExchange ? 'exchange.refused' : audited;
  if (!isPending) note(ctx, threat ? 'token.reused' : refused, { outcome: 'refused', reason, details });
};

export function logEvents(provider: Provider): void {
  provider.on('authorization.error', refusal('authorization refused', 'authorization.refused'));
  provider.on('device_authorization.error', refusal('device code refused', 'device.refused'));
  provider.on('code_verification.error', refusal('sign-in for a device refused', 'device.refused'));
  provider.on('device_resume.error', refusal('sign-in for a device refused', 'device.refused'));
  provider.on('grant.error', refusal('token request refused', 'token.refused'));
  provider.on('registration_create.error', refusal('registration refused', 'client.refused'));
  provider.on('registration_read.error', refusal('registration read refused', 'client.refused'));
  provider.on('registration_update.error', refusal('registration update refused', 'client.refused'));
  provider.on('registration_delete.error', refusal('registration removal refused', 'client.refused'));
  provider.on('revocation.error', refusal('revocation refused', 'token.refused'));
  provider.on('server_error', (ctx, err) => {
    if (err instanceof HttpError) {
      stateOf(ctx).failure = err;
      return;
    }
    logOf(ctx).error({ err, ...partiesOf(ctx) }, 'engine failed');
    note(ctx, 'page.refused', { outcome: 'failed', reason: 'server_error' });
  });
  provider.on('registration_create.success', (ctx, { clientId, clientName, applicationType }) => {
    const { initialAccess } = stateOf(ctx);
    const line = { name: clientName, type: applicationType, initialAccess };
    logOf(ctx).info({ client: clientId, ...line }, 'client registered');
    note(ctx, 'client.registered', { client: clientId, details: line });
  });
  provider.on('registration_update.success', (ctx) => {
    logOf(ctx).info(partiesOf(ctx), 'client changed');
    note(ctx, 'client.changed');
  });
  provider.on('registration_delete.success', (ctx) => {
    logOf(ctx).info(partiesOf(ctx), 'client removed');
    note(ctx, 'client.removed');
  });
  provider.on('authorization.success', (ctx) => {
    logOf(ctx).info(partiesOf(ctx), 'authorized');
    note(ctx, 'authorization.granted', { details: { scope: textOf(ctx.oidc.params?.scope) } });
  });
  provider.on('grant.success', (ctx) => {
    // Added to the line of the request, because most requests are of this kind.
    stateOf(ctx).outcome = { ...partiesOf(ctx), ...grantTypeOf(ctx) };
    const scope = textOf((ctx.body as { scope?: unknown } | undefined)?.scope);
    const details = { ...grantTypeOf(ctx), scope, ...stateOf(ctx).details };
    note(ctx, ISSUED[details.grantType ?? ''] ?? 'token.issued', { details });
  });
  noteWaiting(provider);
}

/** Requests that wait for a person. */
function noteWaiting(provider: Provider): void {
  provider.on('interaction.started', (ctx) =>
    note(ctx, 'authorization.requested', { details: { scope: textOf(ctx.oidc.params?.scope) } }),
  );
  provider.on('device_authorization.success', (ctx) => {
    logOf(ctx).info(partiesOf(ctx), 'device code issued');
    note(ctx, 'device.requested');
  });
}

export function countEvents(provider: Provider, counts: EngineCounts): void {
  const grantType = ({ oidc }: KoaContextWithOIDC): string => String(oidc.params?.grant_type);
  const noteReuse = ({ error_detail: detail = '' }: errors.OIDCProviderError): void => {
    if (REUSE[detail]) counts.onReuse(detail.replace(/ (token|code) already .*/, '_$1'));
  };
  provider.on('authorization.success', () => counts.onAuthorization('granted'));
  provider.on('authorization.error', (_ctx, { error }) => counts.onAuthorization(error));
  provider.on('grant.success', (ctx) => counts.onTokenRequest(grantType(ctx), 'issued'));
  provider.on('grant.error', (ctx, error) => {
    counts.onTokenRequest(grantType(ctx), error.error);
    noteReuse(error);
    const refused = refusedAssertion(error);
    if (refused) counts.onAssertionRefused(refused.refusedAssertion.reason);
  });
  provider.on('registration_create.success', () => counts.onRegistration('created'));
  provider.on('registration_create.error', (_ctx, { error }) => counts.onRegistration(error));
}
