/** Owns the setting with which an identity provider may report over SCIM (RFC 7644) who is active: one secret for each connector. */
import { optional, type Problem, type Values } from '@mcp-oauth/shared/settings/config';
import { z } from 'zod';
import { type ConfiguredConnector, variablePrefix } from '../federation/registry.ts';

/** RFC 6750 §2.1 sends it in a header. A short one could be guessed. */
const TOKEN = /^[\x21-\x7e]{32,1024}$/;

/** Settings of each connector, whatever its kind. */
export const connectorProvisioningSettings = {
  scimToken: optional({
    env: 'SCIM_TOKEN',
    doc: 'Switches on SCIM at `<ISSUER>/scim/v2/<connector id>`, where the identity provider reports who is deactivated, and is the bearer token that it must send: at least 32 characters, such as the output of `openssl rand -base64 32`.',
    type: z.string().regex(TOKEN, { error: 'expected 32 to 1024 visible ASCII characters without spaces' }),
    secret: true,
  }),
};

export type ConnectorProvisioning = Values<typeof connectorProvisioningSettings>;

/** Microsoft Entra cannot send the `sub` of an app over SCIM: no user would ever be a person who signs in. */
export const judgeProvisioning = (connectors: readonly ConfiguredConnector[]): readonly Problem[] =>
  connectors.flatMap(({ id, kind, settings, every }) => {
    const isOn = every?.scimToken !== undefined;
    if (!isOn || kind.type !== 'entra' || settings.subject === 'oid') return [];
    const env = `${variablePrefix(id)}SUBJECT`;
    return [
      { env, message: 'must be oid where SCIM_TOKEN is set, because Entra does not provision any other subject' },
    ];
  });
