/**
 * Owns the configuration of LemonLDAP::NG in a test, as its manager writes it: people of a SQLite file, groups by department, and one
 * OpenID client.
 */
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';

/** Its secret has what is often in a secret: LemonLDAP::NG does not decode the Basic header. */
export const CLIENT = { id: 'mcp-tools', secret: 'sample-secret_1234' } as const;

/** What the one client gets besides the usual. */
export interface Client {
  /** Without the prefix `oidcRPMetaDataOptions`. */
  readonly options?: Readonly<Record<string, string | number>>;
  /** By scope, the expression that says who gets it. */
  readonly scopeRules?: Readonly<Record<string, string>>;
}

/** @param folder with the people, and for sessions */
export function configuration(folder: string, url: string, redirectUri: string, client: Client = {}): object {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const files = (name: string) => ({ Directory: join(folder, name), LockDirectory: join(folder, name, 'lock') });
  return {
    cfgNum: 1,
    cfgDate: 1,
    portal: `${url}/`,
    domain: 'localhost',
    securedCookie: 0,
    authentication: 'DBI',
    userDB: 'Same',
    passwordDB: 'Null',
    registerDB: 'Null',
    dbiAuthChain: `dbi:SQLite:dbname=${join(folder, 'people.db')}`,
    dbiAuthTable: 'active',
    dbiAuthLoginCol: 'uid',
    dbiAuthPasswordCol: 'password',
    dbiExportedVars: { uid: 'uid', cn: 'name', mail: 'mail', department: 'department' },
    macros: { _whatToTrace: 'lc($_user)', mailVerified: '1' },
    groups: { staff: "$department eq 'staff'", guests: "$department eq 'guests'" },
    whatToTrace: '_whatToTrace',
    globalStorage: 'Apache::Session::File',
    globalStorageOptions: files('sessions'),
    persistentStorage: 'Apache::Session::File',
    persistentStorageOptions: files('psessions'),
    localSessionStorage: '',
    locationRules: { localhost: { default: 'accept' } },
    issuerDBOpenIDConnectActivation: 1,
    oidcServiceMetaDataIssuer: url,
    oidcServiceIgnoreScopeForClaims: 1,
    oidcServiceKeyIdSig: 'key-1',
    oidcServicePrivateKeySig: privateKey,
    oidcServicePublicKeySig: publicKey,
    oidcRPMetaDataOptions: {
      mcp: {
        oidcRPMetaDataOptionsClientID: CLIENT.id,
        oidcRPMetaDataOptionsClientSecret: CLIENT.secret,
        oidcRPMetaDataOptionsDisplayName: 'MCP tools',
        oidcRPMetaDataOptionsRedirectUris: redirectUri,
        oidcRPMetaDataOptionsUserIDAttr: 'uid',
        oidcRPMetaDataOptionsIDTokenSignAlg: 'RS256',
        oidcRPMetaDataOptionsRequirePKCE: 1,
        oidcRPMetaDataOptionsAllowOffline: 1,
        ...Object.fromEntries(
          Object.entries(client.options ?? {}).map(([name, value]) => [`oidcRPMetaDataOptions${name}`, value]),
        ),
      },
    },
    ...(client.scopeRules && {
      oidcRPMetaDataScopeRules: { mcp: client.scopeRules },
      oidcServiceAllowOnlyDeclaredScopes: 1,
    }),
    oidcRPMetaDataExportedVars: {
      mcp: {
        name: 'cn',
        preferred_username: 'uid',
        email: 'mail',
        email_verified: 'mailVerified;bool;never',
        groups: 'groups;string;always',
      },
    },
  };
}
