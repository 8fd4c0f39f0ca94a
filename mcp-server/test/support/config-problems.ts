/** Owns what a start of mcp-server would say about its settings: a line for each problem, and none if it would start. */
import type { ConfigError, Environment } from '@mcp-oauth/shared/settings/config';
import { readConfig } from '../../src/config.ts';

export function configProblems(env: Environment): readonly string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    return (error as ConfigError).problems.map(({ env: name, message }) => `${name}: ${message}`);
  }
}
