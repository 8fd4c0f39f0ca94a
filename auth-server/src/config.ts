/** Owns the configuration of auth-server: it joins the settings of all folders, and adds the issuer and its port. */
import { auditSettings, judgeAudit } from '@mcp-oauth/shared/audit/settings';
import { metricsSettings } from '@mcp-oauth/shared/metrics/settings';
import { isInternal, isLoopback } from '@mcp-oauth/shared/network/internal-host';
import { proxySettings, withProxyVariables } from '@mcp-oauth/shared/network/settings';
import { redisTargetOf } from '@mcp-oauth/shared/redis/settings';
import {
  accept,
  type Environment,
  optional,
  type Problem,
  readSettings,
  setting,
  type Values,
} from '@mcp-oauth/shared/settings/config';
import { processSettings } from '@mcp-oauth/shared/settings/process';
import { ownIssuer, port } from '@mcp-oauth/shared/settings/types';
import { unknownSettings } from '@mcp-oauth/shared/settings/unknown';
import { accessSettings, connectorAccessSettings, judgeAccess } from './access/settings.ts';
import { readTrustedIssuers, type TrustedIssuers } from './assertions/configured.ts';
import { assertionSettings } from './assertions/settings.ts';
import { brandSettings } from './branding/settings.ts';
import { clientDocumentSettings, judgeClientDocuments } from './client-documents/settings.ts';
import { clientSettings } from './clients/settings.ts';
import { exchangeSettings, judgeExchange } from './exchange/settings.ts';
import { type ConfiguredConnector, type ConnectorKinds, isFor, readConnectors } from './federation/registry.ts';
import {
  connectorFederationSettings,
  developmentConnector,
  federationSettings,
  judgeFederation,
} from './federation/settings.ts';
import { connectorToolSettings, judgeUses } from './federation/tools/settings.ts';
import { httpSettings } from './http/settings.ts';
import { judgeKeys, keySettings } from './keys/settings.ts';
import { judgePersonalTokens, personalTokenSettings } from './personal-tokens/settings.ts';
import { deviceSettings } from './provider/device/settings.ts';
import { lifetimeSettings } from './provider/settings.ts';
import { connectorProvisioningSettings, judgeProvisioning } from './provisioning/settings.ts';
import { judgeRegistration, registrationSettings } from './registration/settings.ts';
import { judgeResources, resourceSettings } from './resources/settings.ts';
import { revocationSettings } from './revocation/settings.ts';
import { judgeStorage, storageSettings } from './storage/settings.ts';
import { vaultSettings } from './vault/settings.ts';

export const settings = {
  issuer: setting({
    env: 'ISSUER',
    doc: 'Public URL of this server, and the `iss` of its tokens. All its other URLs are derived from it. It may have a path: https://example.com/auth.',
    type: ownIssuer(),
    default: 'http://localhost:9000',
    example: 'https://auth.example.com',
  }),
  port: optional({
    env: 'PORT',
    doc: 'Port to listen on. Not set: the port of ISSUER, or 9000 if ISSUER names none.',
    type: port(),
  }),
  ...processSettings,
  ...metricsSettings,
  ...auditSettings,
  ...proxySettings,
  ...storageSettings,
  ...resourceSettings,
  ...federationSettings,
  ...accessSettings,
  ...brandSettings,
  ...vaultSettings,
  ...clientSettings,
  ...lifetimeSettings,
  ...clientDocumentSettings,
  ...keySettings,
  ...revocationSettings,
  ...httpSettings,
  ...registrationSettings,
  ...deviceSettings,
  ...personalTokenSettings,
  ...exchangeSettings,
  ...assertionSettings,
};

/** The settings that every connector has, whatever its kind. */
export const connectorSettings = {
  ...connectorToolSettings,
  ...connectorFederationSettings,
  ...connectorAccessSettings,
  ...connectorProvisioningSettings,
};

export type Config = Values<typeof settings> & {
  /** The connectors with which people sign in. */
  readonly signIn: readonly ConfiguredConnector[];
  /** The connectors whose tokens tools may get. */
  readonly tools: readonly ConfiguredConnector[];
  /** Who may sign assertions. */
  readonly trustedIssuers: TrustedIssuers;
};

/**
 * @param kinds the connector kinds that there are
 * @throws ConfigError with all problems
 */
export function readConfig(env: Environment, kinds: ConnectorKinds): Config {
  const { values, problems } = readSettings(settings, withProxyVariables(env));
  // Production refuses the development connector as a whole, so its settings are not checked one by one.
  const isProduction = values.environment === 'production';
  const ids = (values.connectors ?? []).filter((id) => !isProduction || id !== 'development');
  const development = developmentConnector(values.developmentIdpUrl);
  const all = readConnectors(ids, env, kinds, { every: connectorSettings, defaults: { development } });
  const [signIn, tools] = [all.connectors.filter(isFor('sign-in')), all.connectors.filter(isFor('tools'))];
  const trusted = readTrustedIssuers(
    values,
    env,
    ids.filter((id) => !tools.some((one) => one.id === id && !signIn.includes(one))),
  );
  const trustedIssuers = trusted.issuers;
  const config = { ...values, redisTarget: redisTargetOf(values), signIn, tools, trustedIssuers } as Config;
  return accept(config, [
    ...problems,
    ...judge(values),
    ...all.problems,
    ...judgeUses(all.connectors, {
      every: connectorSettings,
      isComplete: all.problems.length === 0,
      isEncrypted: values.storageKeys !== undefined,
    }),
    ...judgeAccess(
      isForgotten(values, env) ? { ...values, environment: 'production' } : values,
      signIn.filter(({ id }) => id !== 'development' || !isForgotten(values, env)),
    ),
    ...judgeProvisioning(signIn),
    ...trusted.problems,
    ...judgeExchange({ ...values, tools: all.problems.length === 0 ? tools.map(({ id }) => id) : undefined }),
    ...judgeDevelopment(values, env),
    ...unknownSettings(env).problems,
  ]);
}

type Readable = Partial<Values<typeof settings>>;

const judge = (values: Readable): readonly Problem[] => [
  ...judgeIssuer(values),
  ...judgeStorage(values),
  ...judgeAudit(values),
  ...judgeResources(values),
  ...judgeFederation(values),
  ...judgeClientDocuments(values),
  ...judgeKeys(values),
  ...judgeRegistration(values),
  ...judgePersonalTokens(values),
];

/** Whether NODE_ENV was forgotten: this server is public. */
const isForgotten = ({ issuer }: Readable, { NODE_ENV }: Environment): boolean =>
  !!issuer?.startsWith('https:') && !isInternal(issuer) && !NODE_ENV?.trim();

/** A public server with a forgotten NODE_ENV would let anybody sign in. An explicit NODE_ENV=development permits that. */
function judgeDevelopment(values: Readable, env: Environment): readonly Problem[] {
  if (!isForgotten(values, env) || !values.connectors?.includes('development')) return [];
  const mend =
    'configure your own connector and set NODE_ENV=production, or set NODE_ENV=development if this is intended';
  return [{ env: 'CONNECTORS', message: `the development sign-in accepts anybody, and ISSUER is public: ${mend}` }];
}

function judgeIssuer({ issuer, environment }: Readable): readonly Problem[] {
  if (!issuer?.startsWith('http:')) return [];
  if (environment === 'production') {
    return [{ env: 'ISSUER', message: `must use https in production (got "${issuer}")` }];
  }
  if (isLoopback(issuer)) return [];
  return [{ env: 'ISSUER', message: `must use https, or be a loopback address (got "${issuer}")` }];
}
