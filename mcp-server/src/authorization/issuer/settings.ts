/**
 * Owns the settings of one issuer: where its keys are, and what its tokens must say (RFC 9068 §4). With several issuers (ISSUERS), each
 * has the same settings by its own variables.
 */
import { ACCESS_TOKEN_TYPE } from '@mcp-oauth/shared/contract';
import { optional, type Setting, type Settings, setting, type Values } from '@mcp-oauth/shared/settings/config';
import * as type from '@mcp-oauth/shared/settings/types';
import { z } from 'zod';
import { introspectionSettings } from '../introspection/settings.ts';
import { readClaimRule } from '../token/claim-rule.ts';
import { UNTYPED } from '../token/rules.ts';
import { readScopeMapping } from '../token/scope-map.ts';
import { PRESETS } from './presets/table.ts';
import { restatedSettings } from './restated/settings.ts';

/** The allowed signature algorithms: all asymmetric, so that a public key is never used as a secret. */
const ASYMMETRIC_ALGORITHMS = [
  'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512',
] as const; // biome-ignore format: one list

const TOKEN_TYPES = [ACCESS_TOKEN_TYPE, 'JWT', 'okta-internal-at+jwt', UNTYPED];

const subsetOf = (choices: readonly string[]) =>
  type.exactList().refine((values) => values.length > 0 && values.every((value) => choices.includes(value)), {
    message: `expected some of ${choices.join(', ')}`,
  });

const atLeastOne = () =>
  type.exactList().refine((values) => values.length > 0, { message: 'expected at least one value' });

/** `none` is an empty list. */
const listOrNone = () => atLeastOne().transform((values) => (values.join() === 'none' ? [] : values));

/** A list whose members are read one by one. @param read throws an Error that says what was expected */
const listOf = <T>(read: (member: string) => T) =>
  type.exactList('literal').transform((members, context): readonly T[] => {
    try {
      return members.map(read);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
      return z.NEVER;
    }
  });

const audienceClaim = () =>
  type.exactList().transform((members, context) => {
    try {
      return readClaimRule(members.join('|'));
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
      return z.NEVER;
    }
  });

export const issuerSettings = {
  issuer: setting({
    env: 'ISSUER',
    doc: 'Issuer of the access tokens, exactly as in their `iss`: auth-server or any other authorization server.',
    type: type.issuer(),
    default: 'http://localhost:9000',
    example: 'https://auth.example.com',
  }),
  issuerPreset: optional({
    env: 'ISSUER_PRESET',
    doc: 'Product of the issuer: gives the settings of its tokens below other defaults, which [are listed](#presets-of-issuers).',
    type: type.oneOf(...Object.keys(PRESETS)),
    example: 'keycloak',
  }),
  issuerInternalUrl: optional({
    env: 'ISSUER_INTERNAL_URL',
    doc: 'URL at which this server reaches the issuer, if it differs from the URL for browsers. Metadata and keys are requested here. In production plain http is accepted inside the network only.',
    type: type.url(),
    example: 'http://auth-server:9000',
  }),
  issuerAnnounced: setting({
    env: 'ISSUER_ANNOUNCED',
    doc: 'Whether clients are told that they can get tokens from this issuer (`authorization_servers`, RFC 9728). `false`: its tokens are accepted all the same, as those of a CI job.',
    type: type.flag(),
    default: 'true',
  }),
  ...restatedSettings,
  jwksUrl: optional({
    env: 'JWKS_URL',
    doc: "URL of the issuer's public keys. Default: the `jwks_uri` of its metadata. In production plain http is accepted inside the network only.",
    type: type.url(),
    example: 'https://auth.example.com/jwks',
  }),
  issuerKeysTokenFile: optional({
    env: 'ISSUER_KEYS_TOKEN_FILE',
    doc: 'File with a bearer token, for an issuer that shows its metadata and keys only to callers that have one, as a Kubernetes cluster does. It is read for each request, and sent only to the host of JWKS_URL, or without it to that of ISSUER_INTERNAL_URL or ISSUER; plain http is accepted inside the network only.',
    type: type.text(),
    example: '/run/cluster/token',
  }),
  audiences: optional({
    env: 'AUDIENCES',
    doc: 'Values of `aud` that identify this server. Default: PUBLIC_URL with /mcp, with /sse, and alone.',
    type: atLeastOne(),
    example: 'https://mcp.example.com/mcp',
  }),
  audienceClaim: optional({
    env: 'AUDIENCE_CLAIM',
    doc: 'Claim, and the values of it, that stand for the audience in tokens without `aud`, for an issuer that can send none: the clients of this server, or a scope that only its tokens have. Without it such tokens are refused, because they may be for another server.',
    type: audienceClaim(),
    example: 'client_id=4jdk3h2,9fj2kd8',
  }),
  tokenTypes: setting({
    env: 'TOKEN_TYPES',
    doc: 'Accepted values of the `typ` header of access tokens; `none` is a token without it. Add JWT or none for an issuer that does not follow RFC 9068; only the audience and the claims then distinguish its ID tokens.',
    type: subsetOf(TOKEN_TYPES),
    default: ACCESS_TOKEN_TYPE,
  }),
  tokenAlgorithms: setting({
    env: 'TOKEN_ALGORITHMS',
    doc: 'Signature algorithms that access tokens may use. Only asymmetric algorithms are allowed.',
    type: subsetOf(ASYMMETRIC_ALGORITHMS),
    default: 'ES256,EdDSA,Ed25519,RS256,PS256',
  }),
  statusListOrigins: optional({
    env: 'STATUS_LIST_ORIGINS',
    doc: 'Origins at which the status lists of the issuer may be, besides its own: lists at other places are not read, and tokens that refer to them are refused.',
    type: type.origins(),
    example: 'https://status.example.com',
  }),
  clockTolerance: setting({
    env: 'CLOCK_TOLERANCE',
    doc: 'Accepted difference between the clocks of this machine and of the issuer, from 0s to 60s.',
    type: type.duration(0, 60),
    default: '5s',
  }),
  tokenSubjectClaims: setting({
    env: 'TOKEN_SUBJECT_CLAIMS',
    doc: 'Claims that identify the person or machine, the first one that is present. `sub,client_id`: a token without a person belongs to its client. Only for an issuer that leaves out `sub` for machines alone: otherwise all people of a client are one person here.',
    type: atLeastOne(),
    default: 'sub',
  }),
  tokenClientClaims: setting({
    env: 'TOKEN_CLIENT_CLAIMS',
    doc: 'Claims that identify the client, the first one that is present. `none`: for an issuer whose tokens name no client; sessions then belong to issuer and subject.',
    type: listOrNone(),
    default: 'client_id,azp',
  }),
  tokenScopeClaims: setting({
    env: 'TOKEN_SCOPE_CLAIMS',
    doc: 'Claims with the scopes; those of all claims are joined. A path such as `realm_access.roles` leads into an object. A text has spaces between two scopes (with TOKEN_SCOPE_MAP only in `scope` and `scp`); an object has them as the names of its members that are not false or null.',
    type: listOrNone(),
    default: 'scope,scp',
  }),
  tokenScopePrefix: optional({
    env: 'TOKEN_SCOPE_PREFIX',
    doc: 'Prefixes that are removed from the scopes of a token, before TOKEN_SCOPE_MAP.',
    type: atLeastOne(),
    example: 'api://mcp/',
  }),
  tokenScopeMap: optional({
    env: 'TOKEN_SCOPE_MAP',
    doc: 'Scopes of this server for values of a token: `theirs=ours`; one `*` in theirs stands for any text. With a map, a value of another claim than `scope` and `scp` counts only if the map names it.',
    type: listOf(readScopeMapping),
    example: 'ops=mcp:admin,role-*=mcp:tools',
  }),
  tokenRequiredClaims: optional({
    env: 'TOKEN_REQUIRED_CLAIMS',
    doc: 'Claims that every token must have, with the accepted values: `claim=value|another`. All must hold, besides those of ISSUER_PRESET for other claims.',
    type: listOf(readClaimRule),
    example: 'tid=72f988bf-86f1-41af-91ab-2d7cd011db47',
  }),
  ...introspectionSettings,
} as const;

export type IssuerValues = Values<typeof issuerSettings>;

/** The part after the prefix of an issuer: `ISSUER_CORP_URL`, `ISSUER_CORP_PRESET`, `ISSUER_CORP_AUDIENCES`. */
export const memberOf = (env: string): string => (env === 'ISSUER' ? 'URL' : env.replace(/^ISSUER_/, ''));

/** The same settings for one of several issuers, named without its prefix. */
export const settingsOfSeveral = Object.fromEntries(
  Object.entries<Setting<unknown>>(issuerSettings).map(([key, { default: standard, ...declared }]) => [
    key,
    {
      ...declared,
      env: memberOf(declared.env),
      ...(key !== 'issuer' && standard !== undefined && { default: standard }),
    },
  ]),
) as Settings as typeof issuerSettings;
