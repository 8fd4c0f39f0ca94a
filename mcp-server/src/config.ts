/** Owns the configuration of mcp-server: it joins the settings of all folders and fills in what follows from others. */
import { resourceIdentifiers } from '@mcp-oauth/shared/contract';
import { type Environment, loadConfig } from '@mcp-oauth/shared/settings/config';
import { metricsSettings } from '@mcp-oauth/shared/settings/metrics';
import { processSettings } from '@mcp-oauth/shared/settings/process';
import { proxySettings, withProxyVariables } from '@mcp-oauth/shared/settings/proxy';
import { judgeRedis, redisSettings, redisTargetOf } from '@mcp-oauth/shared/settings/redis';
import { unknownSettings } from '@mcp-oauth/shared/settings/unknown';
import { allowanceSettings } from './allowance/settings.ts';
import { scopeHierarchy } from './authorization/scope-hierarchy.ts';
import { authorizationSettings, judgeAuthorization } from './authorization/settings.ts';
import { httpSettings, judgePublicUrl } from './http/settings.ts';
import { sealingSettings } from './keys/settings.ts';
import { catalogSettings } from './protocol/catalog/settings.ts';
import { sessionSettings } from './sessions/settings.ts';

export const settings = {
  ...httpSettings,
  ...processSettings,
  ...metricsSettings,
  ...proxySettings,
  ...authorizationSettings,
  ...catalogSettings,
  ...sessionSettings,
  ...allowanceSettings,
  ...redisSettings,
  ...sealingSettings,
} as const;

export type Config = ReturnType<typeof readConfig>;

/** @throws ConfigError naming every bad variable */
export function readConfig(env: Environment) {
  const values = loadConfig(settings, withProxyVariables(env), (readable) => [
    ...unknownSettings(env).problems,
    ...judgeRedis(readable),
    ...judgePublicUrl(readable.publicUrl, readable.environment),
    ...judgeAuthorization(readable),
  ]);
  return Object.freeze({
    ...values,
    redisUrl: redisTargetOf(values),
    port: values.port ?? (Number(new URL(values.publicUrl).port) || 8080),
    allowedOrigins: values.allowedOrigins ?? [],
    allowedHosts: values.allowedHosts ?? [],
    scopeHierarchy: values.scopeHierarchy ?? scopeHierarchy([]),
    maxSessionsPerPrincipal: values.maxSessionsPerPrincipal ?? twentieth(values.maxSessions),
    maxSubscriptionsPerPrincipal: values.maxSubscriptionsPerPrincipal ?? partOf(values.maxSubscriptions),
    audiences: values.audiences ?? resourceIdentifiers(values.publicUrl),
    baseScope: values.baseScope === 'none' ? undefined : values.baseScope,
  });
}

/** What one person may have of it, so that a few people can't take all there is. */
const twentieth = (most: number): number => Math.max(1, Math.floor(most / 20));
const partOf = (most: number): number => Math.min(100, twentieth(most));
