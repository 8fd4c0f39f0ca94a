/** Owns the settings of introspection, for an issuer whose access tokens are opaque: whether and where it is asked, and the limits. */
import { plainHttpOutside } from '@mcp-oauth/shared/network/internal-host';
import { optional, type Problem, setting, type Values } from '@mcp-oauth/shared/settings/config';
import * as type from '@mcp-oauth/shared/settings/types';
import type { TokenRules } from '../token/rules.ts';
import { type Credentials, clientKey } from './credentials.ts';

export const introspectionSettings = {
  introspection: optional({
    env: 'INTROSPECTION',
    doc: 'Whether the issuer is asked about tokens that are no JWTs (RFC 7662): `on`, `off`, or `signed` if its answers must be signed (RFC 9701). JWTs are never sent to it. Default: `on` if INTROSPECTION_URL is set, otherwise `off`. Of several issuers one at most can be asked.',
    type: type.oneOf('on', 'off', 'signed'),
    example: 'on',
  }),
  introspectionUrl: optional({
    env: 'INTROSPECTION_URL',
    doc: 'URL at which the issuer is asked. Default: the `introspection_endpoint` of its metadata. In production plain http is accepted inside the network only.',
    type: type.url(),
    example: 'https://auth.example.com/introspect',
  }),
  introspectionClientId: optional({
    env: 'INTROSPECTION_CLIENT_ID',
    doc: 'Client id by which this server authenticates when it asks. Register a client of its own for it, without grants.',
    type: type.text(),
    example: 'mcp-server',
  }),
  introspectionClientSecret: optional({
    env: 'INTROSPECTION_CLIENT_SECRET',
    doc: 'Secret of that client. It cannot be in the JSON of ISSUERS; the name of its file can.',
    type: type.text(),
    secret: true,
  }),
  introspectionClientKey: optional({
    env: 'INTROSPECTION_CLIENT_KEY',
    doc: 'Private key of that client in PEM or as a JWK, instead of a secret, with INTROSPECTION_CLIENT_AUTH=private_key_jwt: P-256, Ed25519 or RSA. Lines may be written with `\\n`. The `kid` of a JWK is sent: it has to be the name of the key at the issuer.',
    type: clientKey(),
    secret: true,
  }),
  introspectionClientAuth: setting({
    env: 'INTROSPECTION_CLIENT_AUTH',
    doc: 'How this server authenticates: by the secret in the header (`client_secret_basic`) or in the body (`client_secret_post`), or by the key (`private_key_jwt`, RFC 7523).',
    type: type.oneOf('client_secret_basic', 'client_secret_post', 'private_key_jwt'),
    default: 'client_secret_basic',
  }),
  introspectionCache: setting({
    env: 'INTROSPECTION_CACHE',
    doc: 'How long the answer about an active token is used, from 0s to 60s: a revoked token is accepted for so long.',
    type: type.duration(0, 60),
    default: '10s',
  }),
  introspectionLimit: setting({
    env: 'INTROSPECTION_LIMIT',
    doc: 'Maximum number of opaque tokens per minute, caller and replica that the issuer does not know or that are refused, together with those it is being asked about. Above it the caller gets 429 for tokens that are not known to be active. Behind a proxy TRUSTED_PROXIES tells callers apart.',
    type: type.integer(1, 1_000_000),
    default: '100',
  }),
} as const;

type IntrospectionValues = Values<typeof introspectionSettings>;

/** How an issuer is asked about opaque tokens. */
export interface ConfiguredIntrospection {
  readonly url: string | undefined;
  readonly signedOnly: boolean;
  readonly credentials: Credentials;
  /** Of signed answers, and the names of the variables. */
  readonly rules: Pick<TokenRules, 'algorithms' | 'clockTolerance' | 'variable'>;
  /** Seconds. */
  readonly cache: number;
  readonly limit: number;
}

const isOn = ({ introspection, introspectionUrl }: Partial<IntrospectionValues>): boolean =>
  (introspection ?? (introspectionUrl === undefined ? 'off' : 'on')) !== 'off';

/** RFC 7662 §2.1, §4: the endpoint needs an authentication, and is used over TLS. */
export function judgeIntrospection(
  values: Partial<IntrospectionValues>,
  variable: (name: string) => string,
  environment: string | undefined,
): readonly Problem[] {
  const problems: Problem[] = [];
  const add = (name: string, message: string | undefined) => {
    if (message) problems.push({ env: variable(name), message });
  };
  const { introspection, introspectionClientId: id, introspectionClientSecret: secret } = values;
  const { introspectionClientKey: key, introspectionClientAuth: method } = values;
  if (environment === 'production') add('INTROSPECTION_URL', plainHttpOutside(values.introspectionUrl));
  if (isOn(values)) {
    const needed = 'is needed, as the issuer is asked about tokens';
    if (id === undefined) add('INTROSPECTION_CLIENT_ID', needed);
    if (method === 'private_key_jwt') {
      if (key === undefined) add('INTROSPECTION_CLIENT_KEY', needed);
    } else if (key !== undefined) add('INTROSPECTION_CLIENT_AUTH', 'must be private_key_jwt for the key to be used');
    else if (secret === undefined) add('INTROSPECTION_CLIENT_SECRET', needed);
  } else if (introspection === undefined && [id, secret, key].some((one) => one !== undefined)) {
    add('INTROSPECTION', 'is not set, so INTROSPECTION_CLIENT_… changes nothing: set it to on or off');
  }
  return problems;
}

/** @returns nothing if the issuer is not asked */
export function introspectionOf(
  values: IntrospectionValues,
  rules: ConfiguredIntrospection['rules'],
): ConfiguredIntrospection | undefined {
  if (!isOn(values)) return undefined;
  return {
    url: values.introspectionUrl,
    signedOnly: values.introspection === 'signed',
    credentials: credentialsOf(values),
    rules,
    cache: values.introspectionCache,
    limit: values.introspectionLimit,
  };
}

function credentialsOf(values: IntrospectionValues): Credentials {
  const { introspectionClientId: clientId = '', introspectionClientSecret: clientSecret = '' } = values;
  const { introspectionClientKey: key, introspectionClientAuth: method } = values;
  if (method !== 'private_key_jwt') return { clientId, method, clientSecret };
  if (!key) throw new TypeError('the settings were not judged');
  return { clientId, method, clientKey: key };
}
