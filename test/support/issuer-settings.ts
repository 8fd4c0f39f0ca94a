/** Owns the settings of mcp-server with which people sign in at real authorization servers in the tests, besides ISSUER. */

export const LEMONLDAP = { TOKEN_TYPES: 'at+jwt,JWT', TOKEN_CLIENT_CLAIMS: 'client_id', BASE_SCOPE: 'openid' } as const;

export const GLEWLWYD = {} as const;
