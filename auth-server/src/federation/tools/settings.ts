/** Owns the settings that say what a connector is for: signing people in, tokens for tools, or both; and the scopes that tools may get. */
import { SCOPE_TOKEN } from '@mcp-oauth/shared/contract';
import { optional, type Problem, type Settings, setting, type Values } from '@mcp-oauth/shared/settings/config';
import { exactList } from '@mcp-oauth/shared/settings/types';
import { z } from 'zod';
import type { Use } from '../connector.ts';
import { type ConfiguredConnector, isFor, variablePrefix } from '../registry.ts';

const uses = (): z.ZodType<readonly Use[], string> =>
  exactList().transform((values, context) => {
    const odd = values.find((value) => !isUse(value));
    if (odd === undefined && values.length > 0) return values.filter(isUse);
    context.addIssue({
      code: 'custom',
      message: `expected sign-in, tools, or both (got ${JSON.stringify(odd ?? '')})`,
    });
    return z.NEVER;
  });

const isUse = (value: string): value is Use => value === 'sign-in' || value === 'tools';

/** RFC 6749 §3.3 */
const scopes = (): z.ZodType<readonly string[], string> =>
  z
    .string()
    .transform((text) => [...new Set(text.split(/\s+/).filter(Boolean))])
    .pipe(z.array(z.string().regex(SCOPE_TOKEN, 'a scope has no quotes and no backslashes')));

/** Settings of each connector, whatever its kind. */
export const connectorToolSettings = {
  use: setting({
    env: 'USE',
    doc: 'What the connector is for: `sign-in`, `tools` (people connect their accounts there, and tools of MCP servers use them), or both. With `tools` alone it is no way to sign in.',
    type: uses(),
    default: 'sign-in',
    example: 'sign-in,tools',
  }),
  toolScopes: optional({
    env: 'TOOL_SCOPES',
    doc: 'Scopes at the provider that tools may get, separated by spaces. People see them before they connect their account. Required with `tools` in USE where tokens have scopes.',
    type: scopes(),
    example: 'repo read:org',
  }),
};

type ConnectorTools = Values<typeof connectorToolSettings>;

interface Around {
  /** The settings that all connectors have. */
  readonly every: Settings;
  /** Whether every connector that is named could be read. */
  readonly isComplete: boolean;
  /** Whether STORAGE_KEYS is set. */
  readonly isEncrypted: boolean;
}

/** What each connector is for must fit its kind and the other settings. */
export function judgeUses(
  connectors: readonly ConfiguredConnector[],
  { every, isComplete, isEncrypted }: Around,
): readonly Problem[] {
  const hasTools = connectors.some(isFor('tools'));
  const problems = connectors.flatMap((connector) => {
    const found = [...judgeKind(connector), ...judgeScopes(connector)];
    return isFor('sign-in')(connector) ? found : [...found, ...withoutSignIn(connector, every)];
  });
  if (hasTools && !isEncrypted) {
    const message = 'is required where a connector has tools in USE, because the tokens of people are stored';
    problems.push({ env: 'STORAGE_KEYS', message });
  }
  if (isComplete && connectors.length > 0 && !connectors.some(isFor('sign-in')))
    problems.push({ env: 'CONNECTORS', message: 'expected at least one connector to sign in with' });
  return problems;
}

function judgeKind(connector: ConfiguredConnector): readonly Problem[] {
  const { id, kind } = connector;
  const env = `${variablePrefix(id)}USE`;
  if (isFor('tools')(connector) && !kind.tools)
    return [{ env, message: `the connector type ${kind.type} gives no tokens to tools` }];
  if (isFor('sign-in')(connector) && kind.tools?.isAlone)
    return [{ env, message: `must be tools: nobody can sign in with the connector type ${kind.type}` }];
  return [];
}

function judgeScopes(connector: ConfiguredConnector): readonly Problem[] {
  const { id, kind } = connector;
  const env = `${variablePrefix(id)}TOOL_SCOPES`;
  const { toolScopes } = (connector.every ?? {}) as Partial<ConnectorTools>;
  if (!isFor('tools')(connector)) return toolScopes ? [{ env, message: 'has no effect without tools in USE' }] : [];
  if (kind.tools?.needsScopes && !toolScopes?.length)
    return [{ env, message: 'is required with tools in USE, but not set' }];
  return [];
}

/** A rule about people who cannot come would only seem to protect something. */
const withoutSignIn = ({ id, every = {} }: ConfiguredConnector, declared: Settings): readonly Problem[] =>
  Object.entries(declared)
    .filter(([name]) => !(name in connectorToolSettings) && every[name] !== undefined)
    .map(([, { env }]) => ({
      env: variablePrefix(id) + env,
      message: 'has no effect: nobody signs in with this connector, because USE is tools',
    }));
