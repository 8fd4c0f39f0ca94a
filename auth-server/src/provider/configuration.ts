/**
 * Owns the configuration of the engine: OAuth 2.1 (code with PKCE only), RFC 9068 tokens for the requested resource, rotating
 * refresh tokens, dynamic registration, and the device authorization grant. All other features of the engine are off.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '@mcp-oauth/shared/clock';
import type { Configuration, FindAccount } from 'oidc-provider';
import type { Access } from '../access/access.ts';
import type { ClientDocuments } from '../client-documents/client-documents.ts';
import type { Judge } from '../client-documents/document.ts';
import { ASSERTION_GRANT } from '../clients/client.ts';
import type { PreRegisteredClients } from '../clients/pre-registered.ts';
import type { LacksAccount } from '../connecting/missing.ts';
import { interactionPath } from '../consent/interaction.ts';
import type { Organisations } from '../federation/claims/organisations.ts';
import type { Keys } from '../keys/key-store.ts';
import { sessionCookieName } from '../logout/cookie-name.ts';
import type { SignedOut } from '../logout/signed-out.ts';
import type { InitialAccessTokens } from '../registration/initial-access-tokens.ts';
import type { RegistrationMode } from '../registration/settings.ts';
import type { Resources } from '../resources/resource.ts';
import type { StatusLists } from '../revocation/status-lists.ts';
import type { RecordStore } from '../storage/record-store.ts';
import { clientIdMetadataDocuments, createFetch } from './clients/metadata-documents.ts';
import { applyClientPolicy, EXTRA_METADATA, GRANT_TYPES, RESPONSE_TYPES } from './clients/policy.ts';
import { type DevicePageOptions, deviceFlow } from './device/feature.ts';
import type { Limit } from './device/polling.ts';
import { refuseEmptyNonce } from './guards/dpop-nonce.ts';
import { createInteractionPolicy, SELECT_ACCOUNT } from './interactions/policy.ts';
import { type Lifetimes, ttlOf } from './lifetimes.ts';
import type { ClientCache } from './overrides/client-cache.ts';
import { boundAssertions } from './overrides/replay-detection.ts';
import { checkRegistration } from './parameter-size.ts';
import { createAdapter } from './records/adapter.ts';
import type { ListingOptions } from './records/listed-grants.ts';
import { OWN_SCOPES, resourceIndicators } from './resource-indicators.ts';

interface Registration {
  readonly mode: RegistrationMode;
  /** Whether clients may change their registration. */
  readonly management: boolean;
  readonly initialAccessTokens: InitialAccessTokens;
}

/** The device authorization grant (RFC 8628). */
export interface DeviceOptions {
  readonly isOffered: boolean;
  /** Counts how often one device code is asked about. */
  readonly polls: Limit;
  /** Counts the open codes of one client. */
  readonly openCodes: Limit;
}

export interface ConfigurationOptions extends ListingOptions {
  readonly issuer: string;
  readonly keys: Keys;
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly clientCache: ClientCache;
  readonly resources: Resources;
  readonly lifetimes: Lifetimes;
  /** Bytes of the claims about a person in one access token. */
  readonly maxTokenClaimsSize: number;
  readonly statusLists: StatusLists;
  /** Whether access tokens refer to a status list. */
  readonly hasStatus: boolean;
  readonly preRegistered: PreRegisteredClients;
  readonly clientDocuments: ClientDocuments;
  readonly registration: Registration;
  readonly signedOut: Pick<SignedOut, 'includes'>;
  /** Whether a URL may be a client id. */
  readonly clientIdMetadataDocuments: boolean;
  /** The engine's own validation of client metadata. */
  readonly judge: Judge;
  readonly findAccount: FindAccount;
  readonly access: Pick<Access, 'permitted'>;
  readonly organisations: Organisations;
  readonly lacksAccount: LacksAccount;
  readonly renderError: NonNullable<Configuration['renderError']>;
  readonly device: DeviceOptions;
  readonly devicePages: DevicePageOptions;
  /** Profiles of the JWT bearer grant that are accepted. */
  readonly grantProfiles: readonly string[];
  /** Ids of clients that may present assertions: the operator named them at an issuer. */
  readonly assertionClients: ReadonlySet<string>;
  /** Grant types besides those of the engine, for clients of the operator alone. */
  readonly moreGrants: readonly string[];
}

const AUTH_METHODS = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const;

export function createConfiguration(options: ConfigurationOptions): Configuration {
  const { keys, store, clock, resources, lifetimes, findAccount, renderError } = options;
  return {
    adapter: createAdapter(store, clock, {
      clientLifetime: lifetimes.client,
      refreshGrace: lifetimes.refreshGrace,
      published: options.clientDocuments,
      statusLists: options.statusLists,
      hasStatus: options.hasStatus,
      preRegistered: options.preRegistered,
      cache: options.clientCache,
      registrationKeys: keys.cookies,
      initialAccessTokens: options.registration.initialAccessTokens,
      signedOut: options.signedOut,
      openCodes: options.device.openCodes,
      directory: options.directory,
      endedBefore: options.endedBefore,
      endings: options.endings,
    }),
    jwks: { keys: [...keys.signing] },
    cookies: cookies(options),
    findAccount,
    renderError,
    interactions: {
      policy: createInteractionPolicy(options),
      url: (_ctx, { uid }) => interactionPath(options.issuer, uid),
    },
    features: features(options),
    routes: {
      authorization: '/authorize',
      token: '/token',
      registration: '/register',
      jwks: '/jwks',
      revocation: '/revoke',
      pushed_authorization_request: '/par',
      device_authorization: '/device_authorization',
      code_verification: '/device',
    },
    // RFC 8414 §2, RFC 9728 §4: members that the engine does not add by itself.
    discovery: {
      revocation_endpoint_auth_methods_supported: AUTH_METHODS,
      prompt_values_supported: ['none', 'login', 'consent', SELECT_ACCOUNT],
      protected_resources: resources.all.map(({ identifiers }) => identifiers[0]),
      // draft-ietf-oauth-identity-assertion-authz-grant-04 §7.2
      ...(options.grantProfiles.length > 0 && { authorization_grant_profiles_supported: options.grantProfiles }),
    },
    // The scopes of the resources change at run time: supported-scopes.ts lists them, resource-indicators.ts checks them.
    scopes: [...OWN_SCOPES],
    claims: { openid: ['sub'] },
    subjectTypes: ['public'],
    responseTypes: [...RESPONSE_TYPES],
    pkce: { required: () => true },
    allowOmittingSingleRegisteredRedirectUri: false,
    ...clientProfile(options),
    // The only outgoing requests of the engine; they have their own size limits.
    fetch: createFetch(options),
    fetchResponseBodyLimits: { 'client_id metadata document': Infinity, jwks_uri: Infinity },
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    // A client keeps working when the person closes the browser: the grant limits it, not the session.
    expiresWithSession: async () => false,
    // Invalid refreshes are refused before this point, so a mistake does not use up the token.
    rotateRefreshToken: true,
    assertJwtClientAuthClaimsAndHeader: boundAssertions(clock),
    ttl: ttlOf(lifetimes, clock),
  };
}

/** Supported client metadata and its defaults. */
const clientProfile = ({
  keys: { signing },
  clientDocuments,
  preRegistered,
  device,
  moreGrants,
  assertionClients,
}: ConfigurationOptions): Configuration => {
  // A client that the operator wrote down has what the operator wrote there.
  const namedGrants = (id: string | undefined): readonly string[] =>
    id !== undefined && assertionClients.has(id) && !preRegistered.has(id) ? [ASSERTION_GRANT] : [];
  return {
    clientAuthMethods: [...AUTH_METHODS],
    clientDefaults: {
      grant_types: [...GRANT_TYPES],
      response_types: [...RESPONSE_TYPES],
      token_endpoint_auth_method: 'none',
      id_token_signed_response_alg: signing[0].alg,
    },
    enabledJWA: {
      // Includes the algorithms of pending keys, because others cache the metadata.
      idTokenSigningAlgValues: [...new Set(signing.map(({ alg }) => alg))],
      clientAuthSigningAlgValues: ['ES256', 'RS256', 'PS256', 'Ed25519', 'EdDSA'],
    },
    extraClientMetadata: {
      properties: [...EXTRA_METADATA],
      validator: (ctx, key, _value, metadata) => {
        // The engine calls this once for each property.
        if (key !== EXTRA_METADATA[0]) return;
        applyClientPolicy(metadata, {
          isFetchable: clientDocuments.isFetchable,
          isPreRegistered: preRegistered.has(metadata.client_id),
          hasDeviceGrant: device.isOffered,
          moreGrants,
          namedGrants: namedGrants(metadata.client_id),
        });
        // There is no context when a client is read from the store.
        if (ctx) checkRegistration(ctx.oidc.body ?? {});
      },
    },
  };
};

/** The session is for all paths, whatever the path of the issuer. The other two cookies are for one request each, at its own path. */
function cookies({ issuer, keys }: ConfigurationOptions): NonNullable<Configuration['cookies']> {
  const options = { httpOnly: true, sameSite: 'lax', secure: issuer.startsWith('https:') } as const;
  return {
    keys: [...keys.cookies],
    names: {
      session: sessionCookieName('as_session', issuer),
      interaction: 'as_interaction',
      resume: 'as_resume',
    },
    long: options,
    short: options,
  };
}

function features(options: ConfigurationOptions): NonNullable<Configuration['features']> {
  const { keys, resources, registration } = options;
  const off = { enabled: false };
  return {
    clientIdMetadataDocument: options.clientIdMetadataDocuments ? clientIdMetadataDocuments(options) : off,
    resourceIndicators: resourceIndicators(resources, keys.signing[0]),
    // The guard in front of the engine decides who may register: http/admission/registration.ts.
    registration: {
      enabled: registration.mode !== 'off',
      issueRegistrationAccessToken: registration.management,
      // Never begins with a hyphen, so that a command line does not take it for an option.
      idFactory: () => randomBytes(16).toString('hex'),
    },
    registrationManagement: { enabled: registration.management, rotateRegistrationAccessToken: false },
    revocation: {
      enabled: true,
      // RFC 7009 §2.1: a client cannot revoke the token of another client, and the answer does not reveal that.
      allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId,
    },
    devInteractions: off,
    userinfo: off,
    dPoP: { enabled: true, requireNonce: refuseEmptyNonce },
    pushedAuthorizationRequests: { enabled: true },
    rpInitiatedLogout: off,
    introspection: off,
    deviceFlow: options.device.isOffered ? deviceFlow(options.devicePages) : off,
    clientCredentials: { enabled: true },
  };
}
