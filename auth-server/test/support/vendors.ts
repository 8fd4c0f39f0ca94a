/** Owns the kinds of OpenID providers with what the id tokens of each vendor always have, so that one contract serves them all. */
import { generateKeyPairSync } from 'node:crypto';
import apple from '../../src/connectors/apple.connector.ts';
import auth0 from '../../src/connectors/auth0.connector.ts';
import cognito from '../../src/connectors/cognito.connector.ts';
import entra from '../../src/connectors/entra.connector.ts';
import gitlab from '../../src/connectors/gitlab.connector.ts';
import google from '../../src/connectors/google.connector.ts';
import keycloak from '../../src/connectors/keycloak.connector.ts';
import okta from '../../src/connectors/okta.connector.ts';
import type { ConnectorKind } from '../../src/federation/connector.ts';
import type { PresetOptions } from './preset-stand-in.ts';

export const TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
/** A key as Apple issues it, and the key that judges its signatures. */
export const appleKey = { pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), publicKey };

type Vendor = PresetOptions & { readonly kind: ConnectorKind };
const vendor = (kind: unknown, options: PresetOptions = {}): Vendor => ({ kind: kind as ConnectorKind, ...options });

export const VENDORS = {
  apple: vendor(apple, {
    env: (ISSUER) => ({ ISSUER, TEAM_ID: 'TEAM', KEY_ID: 'KEY', PRIVATE_KEY: appleKey.pem }),
    without: ['CLIENT_SECRET'],
    unverified: (email) => ({ email, email_verified: 'false' }),
  }),
  auth0: vendor(auth0),
  cognito: vendor(cognito, { unverified: (email) => ({ email, email_verified: 'false' }) }),
  // Any administrator of a tenant can write any address, and even the flag that other providers use.
  entra: vendor(entra, {
    path: `/${TENANT}/v2.0`,
    env: (issuer) => ({ TENANT, AUTHORITY: new URL(issuer).origin, GRAPH_URL: new URL(issuer).origin }),
    claims: { tid: TENANT, oid: '00000000-0000-0000-66f3-3332eca7ea81' },
    unverified: (email) => ({ tid: TENANT, email, email_verified: true }),
  }),
  gitlab: vendor(gitlab),
  google: vendor(google),
  keycloak: vendor(keycloak, { path: '/realms/staff' }),
  okta: vendor(okta, { path: '/oauth2/default' }),
} satisfies Readonly<Record<string, Vendor>>;
