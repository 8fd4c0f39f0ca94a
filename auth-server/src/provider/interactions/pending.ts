/**
 * Owns how an authorization request of the engine is converted into the facts of the sign-in page. The same conversion decides
 * whether a person has approved exactly this before, so the facts that are shown and the facts that are compared are the same.
 */
import type { Client } from 'oidc-provider';
import type { PreRegisteredClients } from '../../clients/pre-registered.ts';
import type { PendingInteraction } from '../../consent/interaction.ts';
import type { Resource, Resources } from '../../resources/resource.ts';
import { namesOf, resourceScopes } from '../../resources/scope.ts';
import { shown } from '../device/user-code.ts';
import { indicators, own } from '../resource-indicators.ts';

type Parameters = Readonly<Record<string, unknown>>;

export interface Request {
  readonly uid: string;
  readonly client: Client;
  readonly params: Parameters;
  readonly accountId: string | undefined;
  /** Of a device, as it is stored. */
  readonly userCode?: string | undefined;
}

export const text = (value: unknown): string => (typeof value === 'string' ? value : '');

export interface PendingDependencies {
  readonly resources: Resources;
  readonly preRegistered: Pick<PreRegisteredClients, 'has'>;
}

export function pendingOf(
  { uid, client, params, accountId, userCode }: Request,
  { resources, preRegistered }: PendingDependencies,
): PendingInteraction {
  const { identifier, resource, scope } = requested(params, resources);
  const names = resourceScopes(scope, resource);
  return {
    uid,
    client: {
      id: client.clientId,
      name: client.clientName,
      byOperator: preRegistered.has(client.clientId),
      host: publisher(client),
      identity: identityOf(client),
    },
    redirectUri: text(params.redirect_uri),
    ...(userCode !== undefined && { userCode: shown(userCode) }),
    resource: { identifier, name: resource.name },
    scopes: names.map((name) => ({
      name,
      description: resource.scopes[name] ?? name,
      tools: resource.tools.get(name),
      upstream: resource.upstreams.find((upstream) => upstream.name === name),
      isFixed: names.length === 1 || resource.baseScopes.has(name),
    })),
    ownScopes: namesOf(scope).filter((name) => own.has(name)),
    claims: resource.claims,
    accountId,
  };
}

/**
 * The metadata of a client (RFC 7591 §2), without members that this server decides, such as the algorithm of ID tokens, and without
 * the secret: a client with a new secret is still the same client.
 */
const IDENTITY = [
  'application_type', 'client_name', 'client_uri', 'contacts', 'dpop_bound_access_tokens', 'grant_types', 'initiate_login_uri',
  'jwks', 'jwks_uri', 'logo_uri', 'policy_uri', 'redirect_uris', 'response_types', 'software_id', 'token_endpoint_auth_method',
  'tos_uri',
] as const; // biome-ignore format: one list

function identityOf(client: Client): Readonly<Record<string, unknown>> {
  const metadata: Readonly<Record<string, unknown>> = client.metadata();
  return Object.fromEntries(IDENTITY.flatMap((name) => (metadata[name] === undefined ? [] : [[name, metadata[name]]])));
}

/** The host that publishes the metadata document of a client: verified by https, not claimed by the client. */
const publisher = (client: object & { readonly clientId: string }): string | undefined =>
  Reflect.get(client, 'clientIdMetadataDocument') === true ? URL.parse(client.clientId)?.host : undefined;

/** The requested resource and scope; the engine has already refused unknown ones. */
export function requested(
  params: Parameters,
  resources: Resources,
): { identifier: string; resource: Resource; scope: string } {
  const spellings = indicators(params.resource);
  const resource = resources.find(spellings[0] ?? '') ?? resources.default;
  return { identifier: resource.identifiers[0], resource, scope: text(params.scope) };
}
