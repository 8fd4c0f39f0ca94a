/** Owns the configuration of mcp-server: it joins the settings, the defaults and the rules of all folders. */
import { auditSettings, judgeAudit } from '@mcp-oauth/shared/audit/settings';
import { metricsSettings } from '@mcp-oauth/shared/metrics/settings';
import { proxySettings, withProxyVariables } from '@mcp-oauth/shared/network/settings';
import { judgeRedis, redisSettings, redisTargetOf } from '@mcp-oauth/shared/redis/settings';
import { type Environment, loadConfig } from '@mcp-oauth/shared/settings/config';
import { processSettings } from '@mcp-oauth/shared/settings/process';
import { unknownSettings } from '@mcp-oauth/shared/settings/unknown';
import { allowanceSettings } from './allowance/settings.ts';
import type { ConfiguredIssuer } from './authorization/issuer/configured.ts';
import { readIssuers } from './authorization/issuer/several.ts';
import {
  authorizationDefaults,
  authorizationSettings,
  judgeAuthorization,
  withIssuerPreset,
} from './authorization/settings.ts';
import { judgeStatus } from './authorization/status/settings.ts';
import { httpDefaults, httpSettings, judgePublicUrl } from './http/settings.ts';
import { sealingSettings } from './keys/settings.ts';
import { catalogSettings } from './protocol/catalog/settings.ts';
import { protocolSettings } from './protocol/settings.ts';
import { sessionDefaults, sessionSettings } from './sessions/settings.ts';
import { type ConfiguredUpstream, readUpstreams, upstreamSettings } from './upstream/settings.ts';

export const settings = {
  ...httpSettings,
  ...processSettings,
  ...metricsSettings,
  ...auditSettings,
  ...proxySettings,
  ...authorizationSettings,
  ...protocolSettings,
  ...catalogSettings,
  ...upstreamSettings,
  ...sessionSettings,
  ...allowanceSettings,
  ...redisSettings,
  ...sealingSettings,
} as const;

/** Stands for a PUBLIC_URL that could not be read, which is a problem of its own. */
const UNREADABLE = 'http://unreadable.invalid';

export type Config = ReturnType<typeof readConfig>;

/** @throws ConfigError that names every invalid variable */
export function readConfig(env: Environment) {
  let issuers: readonly ConfiguredIssuer[] | undefined;
  let upstreams: readonly ConfiguredUpstream[] = [];
  const complete = withIssuerPreset(withProxyVariables(env));
  const values = loadConfig(settings, complete, (readable) => {
    const { issuers: several, publicUrl, environment } = readable;
    const read = several && readIssuers(several, { env, publicUrl: publicUrl ?? UNREADABLE, environment });
    issuers = read?.issuers;
    const hasKey = Boolean(env.EXCHANGE_KEY || env.EXCHANGE_KEY_FILE);
    const ofUpstreams = readUpstreams(readable.upstreams, { env, environment, hasKey });
    upstreams = ofUpstreams.upstreams;
    return [
      ...unknownSettings(env).problems,
      ...judgeRedis(readable),
      ...judgeAudit(readable),
      ...judgePublicUrl(publicUrl, environment),
      ...judgeAuthorization(readable, complete),
      ...judgeStatus(readable),
      ...(read?.problems ?? []),
      ...ofUpstreams.problems,
    ];
  });
  return Object.freeze({
    ...values,
    ...httpDefaults(values),
    ...authorizationDefaults(values, values.publicUrl, issuers),
    ...sessionDefaults(values),
    upstreams,
    redisTarget: redisTargetOf(values),
  });
}
