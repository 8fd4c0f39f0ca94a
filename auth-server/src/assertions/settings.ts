/** Owns the settings of the issuers whose assertions are accepted: identity providers of enterprises, and platforms of workloads. */
import { SCOPE_TOKEN } from '@mcp-oauth/shared/contract';
import { plainHttpOutside } from '@mcp-oauth/shared/network/internal-host';
import { optional, type Problem, setting, type Values } from '@mcp-oauth/shared/settings/config';
import { duration, exactList, flag, issuer, text, url } from '@mcp-oauth/shared/settings/types';
import { z } from 'zod';
import { httpsOnly } from '../federation/upstream/https-only.ts';

/** Asymmetric only: a public key must never be taken for a shared secret (RFC 8725 §2.1). */
const ALGORITHMS = [
  'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512',
]; // biome-ignore format: one list

const algorithms = () =>
  exactList().refine((values) => values.length > 0 && values.every((value) => ALGORITHMS.includes(value)), {
    message: `expected some of ${ALGORITHMS.join(', ')}`,
  });

const scopes = () =>
  exactList().refine((values) => values.length > 0 && values.every((value) => SCOPE_TOKEN.test(value)), {
    message: 'expected at least one scope',
  });

/** `<their id>=<our id>`, or one id that both have. */
const clients = () =>
  exactList('literal')
    .refine((values) => values.length > 0, { message: 'expected at least one client' })
    .transform((values, context): ReadonlyMap<string, string> => {
      const pairs = values.map((value): readonly [string, string] => {
        const at = value.lastIndexOf('=');
        return at < 0 ? [value, value] : [value.slice(0, at), value.slice(at + 1)];
      });
      if (pairs.some((ids) => ids.includes(''))) {
        context.addIssue({ code: 'custom', message: 'expected a client id on both sides of =' });
        return z.NEVER;
      }
      const clients = new Map(pairs);
      if (clients.size < pairs.length) {
        context.addIssue({ code: 'custom', message: 'expected each client id of the issuer once' });
        return z.NEVER;
      }
      return clients;
    });

export const assertionSettings = {
  enterpriseIssuers: optional({
    env: 'ENTERPRISE_ISSUERS',
    doc: 'Ids of the identity providers whose ID-JAGs give access tokens without a consent page (enterprise-managed authorization). The id `okta` is configured by `ENTERPRISE_ISSUER_OKTA_…`. Not set: none.',
    type: exactList(),
    example: 'okta',
  }),
  workloadIssuers: optional({
    env: 'WORKLOAD_ISSUERS',
    doc: 'Ids of the platforms whose workloads get access tokens for the JWTs that the platform gives them, such as GitHub Actions and Kubernetes. The id `github-actions` is configured by `WORKLOAD_ISSUER_GITHUB_ACTIONS_…`. Not set: none.',
    type: exactList(),
    example: 'github-actions',
  }),
};

const common = {
  issuer: setting({
    env: 'ISSUER',
    doc: 'The `iss` of its assertions, exactly.',
    type: issuer(),
    example: 'https://acme.okta.com',
  }),
  jwksUrl: optional({
    env: 'JWKS_URL',
    doc: 'URL of its public keys. Not set: the `jwks_uri` of its metadata. Plain http is accepted inside the network only.',
    type: url(),
    example: 'https://acme.okta.com/oauth2/v1/keys',
  }),
  algorithms: setting({
    env: 'ALGORITHMS',
    doc: 'Signature algorithms of its assertions. Only asymmetric ones are allowed.',
    type: algorithms(),
    default: 'ES256,EdDSA,Ed25519,RS256,PS256',
  }),
  tokenLifetime: setting({
    env: 'TOKEN_LIFETIME',
    doc: 'How long an access token for its assertions lives at most. The other lifetimes of access tokens limit it too.',
    type: duration(10, 86_400),
    default: '10m',
  }),
};

export const enterpriseIssuerSettings = {
  ...common,
  connector: setting({
    env: 'CONNECTOR',
    doc: 'Id of the connector of CONNECTORS with which the same people sign in. Its rules decide who may come in, and a person has the same subject as after a sign-in. It must be an OpenID provider with the same issuer.',
    type: text(),
    example: 'okta',
  }),
  clients: setting({
    env: 'CLIENTS',
    doc: 'Clients for which its ID-JAGs are accepted: the `client_id` in the ID-JAG, and after `=` the client id here where it differs.',
    type: clients(),
    example: '0oa1b2c3=code-editor',
  }),
  scopes: setting({
    env: 'SCOPES',
    doc: 'The most scopes that its ID-JAGs can give. A token gets those that the request, the ID-JAG, this list and the rules about the person have in common.',
    type: scopes(),
    example: 'mcp:tools',
  }),
  resources: optional({
    env: 'RESOURCES',
    doc: 'Resources that its ID-JAGs may be about. An ID-JAG that names none is accepted only if this names one, which is then meant. Not set: all resources of this server.',
    type: exactList(),
    example: 'https://mcp.example.com/mcp',
  }),
  tenant: optional({
    env: 'TENANT',
    doc: 'The `tenant` of its ID-JAGs, for an identity provider that serves several tenants under one issuer. Not set: an ID-JAG with `tenant` is refused.',
    type: text(),
  }),
  publicClients: setting({
    env: 'PUBLIC_CLIENTS',
    doc: 'Whether clients without a secret or key may present its ID-JAGs. Whoever reads such an ID-JAG before it expires can use it.',
    type: flag(),
    default: 'false',
  }),
};

export const workloadIssuerSettings = {
  ...common,
  issuer: { ...common.issuer, example: 'https://token.actions.githubusercontent.com' },
  jwksUrl: { ...common.jwksUrl, example: 'https://kubernetes.default.svc/openid/v1/jwks' },
  audience: optional({
    env: 'AUDIENCE',
    doc: 'The `aud` that its JWTs must have, and no other besides. Not set: ISSUER of this server.',
    type: text(),
    example: 'https://auth.example.com',
  }),
  rules: setting({
    env: 'RULES',
    doc: 'Path of a JSON file with the rules: which claims give which subject, client, resource and scopes. A JWT that no rule is about gets no token.',
    type: text(),
    example: '/etc/mcp-oauth/workloads.json',
  }),
};

type Common = Pick<Values<typeof enterpriseIssuerSettings>, 'issuer' | 'jwksUrl'>;

/** Whoever changes keys on their way signs whatever they like. Named without the prefix. */
export function judgePlaces({ issuer: place, jwksUrl }: Common): readonly Problem[] {
  if (jwksUrl === undefined) return httpsOnly({ ISSUER: place });
  const message = plainHttpOutside(jwksUrl);
  return message === undefined ? [] : [{ env: 'JWKS_URL', message }];
}
