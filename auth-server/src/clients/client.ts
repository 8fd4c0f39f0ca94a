/**
 * Owns the clients that an operator configures (RFC 7591 §2 members, with id and secret), and the checks that find useless or
 * unsafe ones. The engine checks the rest.
 */
import { z } from 'zod';

/** RFC 8628 §3.4 */
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
/** RFC 8693 §2.1 */
export const EXCHANGE_GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
/** RFC 7523 §2.1 */
export const ASSERTION_GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

const PUBLIC = 'none';
const WITH_KEY = 'private_key_jwt';
const WITH_SECRET: ReadonlySet<string> = new Set(['client_secret_basic', 'client_secret_post']);
/** RFC 6749 §10.10: long enough to resist guessing. */
const LEAST_SECRET = 16;

const texts = z.array(z.string().min(1));

/** RFC 6749 Appendix A.1, A.2: printable ASCII. */
const printable = z.string().regex(/^[\x20-\x7e]+$/, 'expected printable ASCII');

const members = z.strictObject({
  // A client whose id is a URL publishes its metadata there, so the operator must not configure other metadata.
  client_id: printable
    .max(256)
    .regex(/[^ ]/, 'must not be blank')
    .refine((id) => !/^[a-z][a-z0-9+.-]*:/i.test(id), 'must not be a URL'),
  client_secret: printable.min(LEAST_SECRET, `must have ${LEAST_SECRET} characters or more`).optional(),
  // RFC 7591 §3.2.1: seconds since the epoch, and 0 for a secret that does not expire.
  client_secret_expires_at: z.int().min(0).optional(),
  client_name: z.string().min(1).optional(),
  client_uri: z.string().optional(),
  redirect_uris: texts.optional(),
  grant_types: z
    .array(
      z.enum([
        'authorization_code',
        'refresh_token',
        'client_credentials',
        DEVICE_GRANT,
        EXCHANGE_GRANT,
        ASSERTION_GRANT,
      ]),
    )
    .min(1)
    .optional(),
  token_endpoint_auth_method: z.enum([PUBLIC, ...WITH_SECRET, WITH_KEY]).optional(),
  // Harmless, and part of the answer to a registration, which operators copy. The type is derived from the redirect URIs.
  application_type: z.enum(['web', 'native']).optional(),
  response_types: z.array(z.literal('code')).optional(),
  contacts: texts.optional(),
  logo_uri: z.string().optional(),
  tos_uri: z.string().optional(),
  policy_uri: z.string().optional(),
  software_id: z.string().min(1).optional(),
  scope: z.string().min(1).optional(),
  jwks: z.looseObject({ keys: z.array(z.looseObject({})) }).optional(),
  jwks_uri: z.string().optional(),
  dpop_bound_access_tokens: z.boolean().optional(),
  require_pushed_authorization_requests: z.boolean().optional(),
});

/** Every member that an operator may set. */
export const MEMBERS = Object.keys(members.shape);

export const clientSchema = members
  .transform((client) => ({
    ...client,
    grant_types: client.grant_types ?? ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method:
      client.token_endpoint_auth_method ?? (client.client_secret === undefined ? PUBLIC : 'client_secret_basic'),
  }))
  .superRefine((client, context) => {
    for (const message of contradictions(client)) context.addIssue({ code: 'custom', message });
  });

interface Judged {
  readonly client_secret?: string | undefined;
  readonly redirect_uris?: readonly string[] | undefined;
  readonly grant_types: readonly string[];
  readonly token_endpoint_auth_method: string;
  readonly jwks?: object | undefined;
  readonly jwks_uri?: string | undefined;
}

function contradictions(client: Judged): string[] {
  const { client_secret: secret, token_endpoint_auth_method: method, grant_types: grants } = client;
  const wrong = (is: boolean, message: string) => (is ? [message] : []);
  const asksPeople = grants.includes('authorization_code');
  return [
    ...wrong(WITH_SECRET.has(method) && secret === undefined, `needs a client_secret for ${method}`),
    ...wrong(!WITH_SECRET.has(method) && secret !== undefined, `has a client_secret that ${method} does not use`),
    ...wrong(method === WITH_KEY && !client.jwks && !client.jwks_uri, `needs jwks or jwks_uri for ${method}`),
    ...wrong(asksPeople && !client.redirect_uris?.length, 'needs redirect_uris for authorization_code'),
    ...wrong(
      grants.includes('refresh_token') && !asksPeople && !grants.includes(DEVICE_GRANT),
      'has refresh_token without authorization_code',
    ),
    // RFC 6749 §4.4: without authentication anybody could act as this client.
    ...wrong(
      grants.includes('client_credentials') && method === PUBLIC,
      'needs a secret or keys for client_credentials',
    ),
    // RFC 8693 §5: a secret in a log would be enough to exchange every token that this client gets to see.
    ...wrong(grants.includes(EXCHANGE_GRANT) && method !== WITH_KEY, `needs ${WITH_KEY} for token exchange`),
  ];
}

/** A client as it is stored: RFC 7591 members. */
export type Client = z.output<typeof clientSchema>;
