/** Owns how the protected resources are created from the settings (RFC 8707), and the source of their scopes (RFC 9728 §2). */
import { type OnFailure, reasonOf } from '@mcp-oauth/shared/documents/remote-document';
import type { Config } from '../config.ts';
import { createResources, type ResourceSetting, type Resources, type UsualSettings } from '../resources/resource.ts';
import { createScopeSource } from '../resources/resource-metadata.ts';
import type { Dependencies } from './dependencies.ts';

interface ResourceDependencies extends Pick<Dependencies, 'clock' | 'log' | 'fetch'> {
  readonly upstreamsOf?: UsualSettings['upstreamsOf'];
}

export function composeResources(config: Config, { clock, log, fetch, upstreamsOf }: ResourceDependencies): Resources {
  const words = config.scopeDescriptions;
  const sourceOf = ({ scopes, metadataUrl: url, identifiers }: ResourceSetting) => {
    if (scopes || !url) return undefined;
    const onFailure: OnFailure = (error, isNews) => {
      if (isNews) log.warn({ url, reason: reasonOf(error) }, 'resource metadata could not be fetched');
    };
    const onRecovery = () => log.info({ url }, 'resource metadata fetched again');
    return createScopeSource({ url, identifiers, words, fetch, clock, onFailure, onRecovery });
  };
  return createResources(config.resources, sourceOf, { words, claims: config.tokenClaims, upstreamsOf });
}
