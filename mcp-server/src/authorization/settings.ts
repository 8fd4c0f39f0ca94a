/** Owns the settings of authorization: the issuers, how long their keys are kept, bound tokens, and scopes. */

import { BASE_SCOPE, resourceIdentifiers, SCOPE_TOKEN } from '@mcp-oauth/shared/contract';
import { type Environment, optional, type Problem, setting, type Values } from '@mcp-oauth/shared/settings/config';
import * as type from '@mcp-oauth/shared/settings/types';
import { z } from 'zod';
import { type ConfiguredIssuer, configuredIssuer, judgeIssuer, withPreset } from './issuer/configured.ts';
import { judgePlaces } from './issuer/restated/settings.ts';
import { issuerSettings } from './issuer/settings.ts';
import { severalSettings } from './issuer/several.ts';
import { type ScopeHierarchy, scopeHierarchy } from './scope-hierarchy.ts';
import { statusSettings } from './status/settings.ts';

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
  ...issuerSettings,
  ...severalSettings,
  jwksMaxAge: setting({
    env: 'JWKS_MAX_AGE',
    doc: 'How long the public keys of an issuer are cached, which is how long a withdrawn key can stay valid. A missing key is looked up at once, at most twice a minute.',
    type: type.duration(1, 86_400),
    default: '5m',
  }),
  ...statusSettings,
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

/**
 * Defaults that depend on other settings.
 * @param publicUrl start of the default audiences
 * @param issuers absent: the one that the values describe
 */
export const authorizationDefaults = (
  values: Values<typeof authorizationSettings>,
  publicUrl: string,
  issuers: readonly ConfiguredIssuer[] | undefined,
) => ({
  /** The setting that names the issuers. */
  issuerSetting: issuers ? 'ISSUERS' : 'ISSUER',
  issuers: withLists(
    issuers ?? [configuredIssuer('default', values, { audiences: resourceIdentifiers(publicUrl), variable: same })],
    values.statusMaxAge > 0,
  ),
  baseScope: values.baseScope === 'none' ? undefined : values.baseScope,
  scopeHierarchy: values.scopeHierarchy ?? scopeHierarchy([]),
});

/** If no status list is read, the references of tokens do not count. */
const withLists = (issuers: readonly ConfiguredIssuer[], areRead: boolean): readonly ConfiguredIssuer[] =>
  areRead
    ? issuers
    : issuers.map((one) => ({ ...one, rules: one.rules.map((rules) => ({ ...rules, statusOrigins: undefined })) }));

/** If there is one issuer, its settings have no prefix. */
const same = (name: string): string => name;

/** The environment with the defaults of ISSUER_PRESET, unless ISSUERS names several issuers. */
export const withIssuerPreset = (env: Environment): Environment => (env.ISSUERS ? env : withPreset(env, same));

type AuthorizationSettings = Partial<Values<typeof authorizationSettings>> & {
  readonly environment?: string | undefined;
  readonly publicUrl?: string | undefined;
};

/**
 * Problems of the one issuer; those of several are found when they are read.
 * @param env with the defaults of the preset
 */
export function judgeAuthorization(settings: AuthorizationSettings, env: Environment): readonly Problem[] {
  if (env.ISSUERS) return [];
  const { issuer, issuerMetadata, environment, publicUrl } = settings;
  const parties =
    issuer === undefined ? [] : [{ url: issuer, isHere: issuerMetadata === 'here', setting: 'ISSUER_METADATA' }];
  const problems = [
    ...judgeIssuer(settings, same, environment),
    ...(publicUrl === undefined ? [] : judgePlaces(parties, publicUrl)),
  ];
  if (environment !== 'production' || env.ISSUER) return problems;
  const message = 'is not set: name the authorization server whose tokens are accepted, or several with ISSUERS';
  return [{ env: 'ISSUER', message }, ...problems];
}
