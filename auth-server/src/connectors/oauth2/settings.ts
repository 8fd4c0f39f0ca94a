/** Owns the settings of an OAuth 2.0 provider whose tokens tools use, and the rules between them. */
import { optional, type Problem, setting, type Values } from '@mcp-oauth/shared/settings/config';
import { duration, oneOf, text } from '@mcp-oauth/shared/settings/types';
import { z } from 'zod';
import { httpsOnly } from '../../federation/upstream/https-only.ts';

/** As it is written: providers compare paths with their slash at the end. */
const endpoint = (): z.ZodType<string, string> =>
  z.string().refine(isEndpoint, 'expected an http or https URL without query, fragment and user');

function isEndpoint(value: string): boolean {
  const url = URL.parse(value);
  if (!url || !/^https?:$/.test(url.protocol)) return false;
  return !value.includes('?') && !value.includes('#') && url.username === '' && url.password === '';
}

export const settings = {
  authorizationUrl: setting({
    env: 'AUTHORIZATION_URL',
    doc: 'Authorization endpoint of the provider, to which the browser is sent.',
    type: endpoint(),
    example: 'https://linear.app/oauth/authorize',
  }),
  authorizationParameters: optional({
    env: 'AUTHORIZATION_PARAMETERS',
    doc: 'More parameters of the authorization request, as in a URL. Some providers need one to send a refresh token.',
    type: text(),
    example: 'access_type=offline&prompt=consent',
  }),
  tokenUrl: setting({
    env: 'TOKEN_URL',
    doc: 'Token endpoint of the provider.',
    type: endpoint(),
    example: 'https://api.linear.app/oauth/token',
  }),
  revocationUrl: optional({
    env: 'REVOCATION_URL',
    doc: 'Revocation endpoint of the provider (RFC 7009), which is asked when a person disconnects their account.',
    type: endpoint(),
    example: 'https://api.linear.app/oauth/revoke',
  }),
  userinfoUrl: optional({
    env: 'USERINFO_URL',
    doc: 'URL that answers with JSON about the person to whom an access token belongs. Not set: pages show the account without a name.',
    type: endpoint(),
    example: 'https://api.example.com/me',
  }),
  accountClaim: setting({
    env: 'ACCOUNT_CLAIM',
    doc: 'Path of the member at USERINFO_URL with the name of the account, which pages show.',
    type: text(),
    default: 'email',
    example: 'data.user.name',
  }),
  clientId: setting({ env: 'CLIENT_ID', doc: 'Client id that the provider issued to this server.', type: text() }),
  clientSecret: optional({
    env: 'CLIENT_SECRET',
    doc: 'Client secret that the provider issued to this server. Required unless CLIENT_AUTH is none.',
    type: text(),
    secret: true,
  }),
  clientAuth: setting({
    env: 'CLIENT_AUTH',
    doc: 'How the client secret is sent: client_secret_basic, client_secret_post or none.',
    type: oneOf('client_secret_basic', 'client_secret_post', 'none'),
    default: 'client_secret_basic',
  }),
  timeout: setting({
    env: 'TIMEOUT',
    doc: 'Maximum time that the provider may take for one answer.',
    type: duration(1, 60),
    default: '10s',
  }),
};

export type Oauth2Settings = Values<typeof settings>;

export function rules({ clientAuth, clientSecret, ...values }: Oauth2Settings): readonly Problem[] {
  const { authorizationUrl, tokenUrl, revocationUrl = '', userinfoUrl = '' } = values;
  const problems = httpsOnly({
    AUTHORIZATION_URL: authorizationUrl,
    TOKEN_URL: tokenUrl,
    REVOCATION_URL: revocationUrl,
    USERINFO_URL: userinfoUrl,
  });
  if (clientAuth === 'none' || clientSecret !== undefined) return problems;
  return [...problems, { env: 'CLIENT_SECRET', message: 'is required but not set (or set CLIENT_AUTH to none)' }];
}
