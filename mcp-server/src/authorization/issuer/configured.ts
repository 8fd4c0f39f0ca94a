/** Owns an issuer as it is configured: its settings, its preset and the rules for its tokens, and what must not be configured. */
import { plainHttpOutside } from '@mcp-oauth/shared/network/internal-host';
import type { Environment, Problem } from '@mcp-oauth/shared/settings/config';
import { type ConfiguredIntrospection, introspectionOf, judgeIntrospection } from '../introspection/settings.ts';
import { readClaimRule } from '../token/claim-rule.ts';
import type { TokenRules } from '../token/rules.ts';
import type { KeysToken } from './keys-token.ts';
import { type Preset, TENANT } from './presets/preset.ts';
import { PRESETS } from './presets/table.ts';
import type { Restatement } from './restated/metadata.ts';
import { judgeRestated, restatementOf } from './restated/settings.ts';
import type { IssuerValues } from './settings.ts';

export interface ConfiguredIssuer {
  /** Names it in metrics and probes; `default` if it is the only one. */
  readonly id: string;
  readonly url: string;
  /** As its metadata names it: a template for an issuer of several tenants. */
  readonly metadataIssuer: string;
  readonly internalUrl: string | undefined;
  readonly jwksUrl: string | undefined;
  /** Sent when its metadata and keys are read; absent: everybody may read them. */
  readonly keysToken: KeysToken | undefined;
  /** Whether clients are told about it. */
  readonly announced: boolean;
  /** How clients read its metadata here; absent: they read it at the issuer. */
  readonly restated: Restatement | undefined;
  /** One for each `iss` of its tokens. */
  readonly rules: readonly TokenRules[];
  /** How it is asked about opaque tokens; absent: it is not. */
  readonly introspection: ConfiguredIntrospection | undefined;
  /** The variable that says where its keys are. */
  readonly keySetting: string;
}

/** The variable of a setting, by the name that it has if there is one issuer. */
type Variable = TokenRules['variable'];

/** The environment with the defaults of the preset, for what it does not set. */
export function withPreset(env: Environment, variable: Variable): Environment {
  const preset = presetOf(env[variable('ISSUER_PRESET')]?.trim());
  if (!preset) return env;
  const added: Record<string, string> = {};
  for (const [name, { value }] of Object.entries(preset.defaults)) {
    const own = env[variable(name)];
    if (!own) added[variable(name)] = value;
    else if (name === 'TOKEN_REQUIRED_CLAIMS') added[variable(name)] = joined(own, value);
  }
  return { ...env, ...added };
}

/** What the preset requires stays required, unless the operator names another value of the same claim. */
function joined(own: string, ofPreset: string): string {
  const { path } = readClaimRule(ofPreset);
  return own.split(/[\s,]+/).some((rule) => rule.startsWith(`${path}=`)) ? own : `${own},${ofPreset}`;
}

const presetOf = (name: string | undefined): Preset | undefined =>
  name !== undefined && Object.hasOwn(PRESETS, name) ? PRESETS[name] : undefined;

/** RFC 6750 §5.3: an issuer uses TLS; its public keys may be fetched over plain http inside the network. */
export function judgeIssuer(
  values: Partial<IssuerValues>,
  variable: Variable,
  environment: string | undefined,
): readonly Problem[] {
  const { issuer, issuerInternalUrl, jwksUrl, issuerPreset, tokenRequiredClaims } = values;
  const problems = [...judgeIntrospection(values, variable, environment), ...judgeRestated(values, variable)];
  const add = (name: string, message: string | undefined) => {
    if (message) problems.push({ env: variable(name), message });
  };
  const place = values.issuerKeysTokenFile ? placeOf(values) : undefined;
  if (place) {
    const reason = `as it gets the token of ${variable('ISSUER_KEYS_TOKEN_FILE')}`;
    const unsafe = plainHttpOutside(place.url);
    const found = JSON.stringify(place.url);
    add(place.setting, unsafe && `must use https unless it is inside the network, ${reason} (got ${found})`);
  }
  if (environment === 'production') {
    const plain = values.statusListOrigins?.find((origin) => origin.startsWith('http:'));
    add('STATUS_LIST_ORIGINS', plain && `must use https in production (got ${JSON.stringify(plain)})`);
    add('ISSUER_INTERNAL_URL', plainHttpOutside(issuerInternalUrl));
    add('JWKS_URL', plainHttpOutside(jwksUrl));
    if (issuer?.startsWith('http:')) add('ISSUER', `must use https in production (got ${JSON.stringify(issuer)})`);
  }
  const preset = presetOf(issuerPreset);
  if (!preset || issuer === undefined) return problems;
  add('ISSUER', preset.flaw?.(issuer));
  const claims = preset.organisation?.(issuer) ?? [];
  if (claims.length > 0 && !tokenRequiredClaims?.some(({ path }) => claims.includes(path))) {
    add(
      'TOKEN_REQUIRED_CLAIMS',
      `${issuer} serves more than one organisation, and each can ask for tokens for this server: name yours by ${claims.join(' or ')}, such as ${claims[0]}=…`,
    );
  }
  return problems;
}

/** Where the operator says that the keys are: with JWKS_URL, the host of the metadata needs no token. */
function placeOf({ issuer, issuerInternalUrl, jwksUrl }: Partial<IssuerValues>) {
  if (jwksUrl) return { setting: 'JWKS_URL', url: jwksUrl };
  if (issuerInternalUrl) return { setting: 'ISSUER_INTERNAL_URL', url: issuerInternalUrl };
  return issuer === undefined ? undefined : { setting: 'ISSUER', url: issuer };
}

function keysTokenOf(values: IssuerValues, variable: Variable): KeysToken | undefined {
  const { issuerKeysTokenFile: file } = values;
  const place = placeOf(values);
  if (file === undefined || !place) return undefined;
  return {
    file,
    setting: variable('ISSUER_KEYS_TOKEN_FILE'),
    origin: new URL(place.url).origin,
    elsewhere: place.setting === 'JWKS_URL' ? undefined : variable('JWKS_URL'),
  };
}

/** @param audiences used if the settings name none */
export function configuredIssuer(
  id: string,
  values: IssuerValues,
  { audiences, variable }: { readonly audiences: readonly string[]; readonly variable: Variable },
): ConfiguredIssuer {
  const { issuer, tokenRequiredClaims = [], jwksUrl } = values;
  const template = presetOf(values.issuerPreset)?.template?.(issuer);
  const rules: TokenRules = {
    issuer,
    audiences: values.audiences ?? audiences,
    audienceClaim: values.audienceClaim,
    types: values.tokenTypes,
    algorithms: values.tokenAlgorithms,
    clockTolerance: values.clockTolerance,
    subjectClaims: values.tokenSubjectClaims,
    clientClaims: values.tokenClientClaims,
    scopeClaims: values.tokenScopeClaims,
    scopePrefixes: values.tokenScopePrefix ?? [],
    scopeMap: values.tokenScopeMap ?? [],
    statusOrigins: [new URL(issuer).origin, ...(values.statusListOrigins ?? [])],
    requiredClaims: tokenRequiredClaims,
    variable,
  };
  return {
    id,
    url: issuer,
    metadataIssuer: template ?? issuer,
    internalUrl: values.issuerInternalUrl,
    jwksUrl,
    keysToken: keysTokenOf(values, variable),
    announced: values.issuerAnnounced,
    restated: restatementOf(values, variable),
    rules: template ? ofTenants(rules, template) : [rules],
    introspection: introspectionOf(values, rules),
    keySetting: variable(jwksUrl ? 'JWKS_URL' : 'ISSUER'),
  };
}

/** The same rules for each tenant: `iss` is the one of the tenant that `tid` names. */
function ofTenants(rules: TokenRules, template: string): readonly TokenRules[] {
  const tenants = rules.requiredClaims.filter(({ path }) => path === 'tid').flatMap(({ values }) => values);
  return [...new Set(tenants)].map((tenant) => ({
    ...rules,
    issuer: template.replace(TENANT, () => tenant),
    sharesKeys: true,
    requiredClaims: [...rules.requiredClaims, { path: 'tid', values: [tenant] }],
  }));
}
