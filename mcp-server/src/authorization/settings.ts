/** Owns the settings of the issuer, of its keys, and of the requirements for access tokens (RFC 9068 §4). */

import { ACCESS_TOKEN_TYPE, BASE_SCOPE, resourceIdentifiers, SCOPE_TOKEN } from '@mcp-oauth/shared/contract';
import { plainHttpOutside } from '@mcp-oauth/shared/network/internal-host';
import { optional, type Problem, setting, type Values } from '@mcp-oauth/shared/settings/config';
import * as type from '@mcp-oauth/shared/settings/types';
import { z } from 'zod';
import { ASYMMETRIC_ALGORITHMS } from './access-token.ts';
import { type ScopeHierarchy, scopeHierarchy } from './scope-hierarchy.ts';

const subsetOf = (choices: readonly string[]) =>
  type.exactList().refine((values) => values.length > 0 && values.every((value) => choices.includes(value)), {
    message: `expected some of ${choices.join(', ')}`,
  });

const scope = () => type.text().refine((value) => SCOPE_TOKEN.test(value), { message: 'expected one scope' });

const hierarchy = () =>
  type.exactList('literal').transform((chains, context): ScopeHierarchy => {
    const parts = chains.map((chain) => chain.split('>'));
    const whole = parts.every((chain) => chain.length > 1 && chain.every((one) => SCOPE_TOKEN.test(one)));
    try {
      if (whole) return scopeHierarchy(parts);
      context.addIssue({ code: 'custom', message: 'expected scopes such as mcp:admin>mcp:tools, separated by commas' });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
    }
    return z.NEVER;
  });

export const authorizationSettings = {
  issuer: setting({
    env: 'ISSUER',
    doc: 'Issuer of the access tokens, exactly as in their `iss`: auth-server or any other authorization server.',
    type: type.issuer(),
    default: 'http://localhost:9000',
    example: 'https://auth.example.com',
  }),
  issuerInternalUrl: optional({
    env: 'ISSUER_INTERNAL_URL',
    doc: 'URL at which this server reaches the issuer, if it differs from the URL for browsers. Metadata and keys are requested here. In production plain http is accepted inside the network only.',
    type: type.url(),
    example: 'http://auth-server:9000',
  }),
  jwksUrl: optional({
    env: 'JWKS_URL',
    doc: "URL of the issuer's public keys. Default: the `jwks_uri` of its metadata. In production plain http is accepted inside the network only.",
    type: type.url(),
    example: 'https://auth.example.com/jwks',
  }),
  jwksMaxAge: setting({
    env: 'JWKS_MAX_AGE',
    doc: "How long the issuer's public keys are cached, which is how long a withdrawn key can stay valid. A missing key is looked up at once, at most twice a minute.",
    type: type.duration(1, 86_400),
    default: '5m',
  }),
  audiences: optional({
    env: 'AUDIENCES',
    doc: 'Values of `aud` that identify this server. Default: PUBLIC_URL with /mcp, with /sse, and alone.',
    type: type.exactList().refine((values) => values.length > 0, { message: 'expected at least one value' }),
    example: 'https://mcp.example.com/mcp',
  }),
  tokenTypes: setting({
    env: 'TOKEN_TYPES',
    doc: 'Accepted values of the `typ` header of access tokens. Add JWT for an issuer that does not follow RFC 9068; only the audience then distinguishes its ID tokens.',
    type: subsetOf([ACCESS_TOKEN_TYPE, 'JWT']),
    default: ACCESS_TOKEN_TYPE,
  }),
  tokenAlgorithms: setting({
    env: 'TOKEN_ALGORITHMS',
    doc: 'Signature algorithms that access tokens may use. Only asymmetric algorithms are allowed.',
    type: subsetOf(ASYMMETRIC_ALGORITHMS),
    default: 'ES256,EdDSA,Ed25519,RS256,PS256',
  }),
  clockTolerance: setting({
    env: 'CLOCK_TOLERANCE',
    doc: 'Accepted difference between the clocks of this machine and of the issuer, from 0s to 60s.',
    type: type.duration(0, 60),
    default: '5s',
  }),
  dpopRequired: setting({
    env: 'DPOP_REQUIRED',
    doc: 'Whether only access tokens that are bound to a key are accepted (DPoP, RFC 9449). A bound token always needs a proof of its key. With `false` tokens that are not bound are accepted as well.',
    type: type.flag(),
    default: 'false',
  }),
  dpopNonceRequired: setting({
    env: 'DPOP_NONCE_REQUIRED',
    doc: 'Whether every DPoP proof needs a nonce from this server, which costs a client one more request at first. With `false` only a client whose clock differs by more than CLOCK_TOLERANCE needs one.',
    type: type.flag(),
    default: 'false',
  }),
  baseScope: setting({
    env: 'BASE_SCOPE',
    doc: 'Scope that every call needs. `none`: for an issuer that cannot grant scopes.',
    type: scope(),
    default: BASE_SCOPE,
  }),
  scopeHierarchy: optional({
    env: 'SCOPE_HIERARCHY',
    doc: 'Scopes that include others: with `mcp:admin>mcp:tools`, a token with `mcp:admin` does not need `mcp:tools`. Chains may be longer, and there may be several, separated by commas.',
    type: hierarchy(),
    example: 'mcp:admin>mcp:tools',
  }),
} as const;

type AuthorizationSettings = Partial<Values<typeof authorizationSettings>> & {
  readonly environment?: string | undefined;
};

/** Defaults that depend on other settings. @param publicUrl start of the default audiences */
export const authorizationDefaults = (values: Values<typeof authorizationSettings>, publicUrl: string) => ({
  audiences: values.audiences ?? resourceIdentifiers(publicUrl),
  baseScope: values.baseScope === 'none' ? undefined : values.baseScope,
  scopeHierarchy: values.scopeHierarchy ?? scopeHierarchy([]),
});

/** RFC 6750 §5.3: an issuer uses TLS; its public keys may be fetched over plain http inside the network. */
export function judgeAuthorization(settings: AuthorizationSettings): readonly Problem[] {
  const { environment, issuer, issuerInternalUrl, jwksUrl } = settings;
  if (environment !== 'production') return [];
  const outside = Object.entries({ ISSUER_INTERNAL_URL: issuerInternalUrl, JWKS_URL: jwksUrl }).flatMap(
    ([env, url]) => {
      const message = plainHttpOutside(url);
      return message ? [{ env, message }] : [];
    },
  );
  if (!issuer?.startsWith('http:')) return outside;
  return [{ env: 'ISSUER', message: `must use https in production (got ${JSON.stringify(issuer)})` }, ...outside];
}
