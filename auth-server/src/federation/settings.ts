/** Owns the settings that name the connectors; each kind in connectors/ declares the settings of its connectors. */
import { optional, type Problem, setting, type Values } from '@mcp-oauth/shared/settings/config';
import { exactList, origin, text } from '@mcp-oauth/shared/settings/types';

export const federationSettings = {
  connectors: setting({
    env: 'CONNECTORS',
    doc: 'Ids of the connectors (the ways to sign in), in the order of their buttons. The id `acme` is configured by `CONNECTOR_ACME_…`; `development` is built in.',
    type: exactList(),
    default: 'development',
    example: 'google,github',
  }),
  developmentIdpUrl: setting({
    env: 'DEVELOPMENT_IDP_URL',
    doc: 'URL of the development IdP, for the connector `development`.',
    type: origin(),
    default: 'http://localhost:9001',
  }),
};

/** Settings of each connector, whatever its kind. */
export const connectorFederationSettings = {
  orgClaim: optional({
    env: 'ORG_CLAIM',
    doc: 'Path of the claim with the organisations or tenants of a person, for rules (`org:`) and for the claim `org` of access tokens (TOKEN_CLAIMS). A person with several chooses one after the sign-in.',
    type: text(),
    example: 'organizations',
  }),
};

export type ConnectorFederation = Values<typeof connectorFederationSettings>;

type FederationSettings = Partial<Values<typeof federationSettings>> & { readonly environment?: string | undefined };

export function judgeFederation({ connectors, environment }: FederationSettings): readonly Problem[] {
  if (connectors?.length === 0) return [{ env: 'CONNECTORS', message: 'expected at least one connector' }];
  if (environment !== 'production' || !connectors?.includes('development')) return [];
  const message = 'the development sign-in accepts anybody, so production refuses it: configure your own connector';
  return [{ env: 'CONNECTORS', message }];
}

/** The settings of the built-in connector `development`, named without its prefix. */
export const developmentConnector = (developmentIdpUrl: string | undefined) => ({
  TYPE: 'oidc',
  NAME: 'Development sign-in',
  ISSUER: developmentIdpUrl,
  CLIENT_ID: 'auth-server',
  CLIENT_SECRET: 'development-only-secret',
});
