/** Owns which connectors there are: the kinds found in connectors/, the ones an operator configured, and their opening. */
import type { Clock } from '@mcp-oauth/shared/clock';
import { discover } from '@mcp-oauth/shared/discover';
import { StartError } from '@mcp-oauth/shared/errors';
import { type Environment, type Problem, readSettings, type Values } from '@mcp-oauth/shared/settings/config';
import type { Connector, ConnectorKind } from './connector.ts';

export type ConnectorKinds = ReadonlyMap<string, ConnectorKind>;

/** A connector as the operator wants it; opening comes later, when the network does. */
export interface ConfiguredConnector {
  readonly id: string;
  readonly kind: ConnectorKind;
  /** What stands on its button after "Continue with". */
  readonly title: string;
  readonly settings: Values<ConnectorKind['settings']>;
}

export interface OpenConnector {
  readonly id: string;
  readonly title: string;
  readonly connector: Connector;
  /** Where its upstream sends the browser back. */
  readonly callbackUrl: string;
  /** Values of its settings that no log may show, even where the upstream repeats them. */
  readonly secrets?: readonly string[] | undefined;
}

/** @throws StartError when a file does not declare a kind, or two declare the same type */
export async function discoverKinds(folder: URL): Promise<ConnectorKinds> {
  const kinds = new Map<string, ConnectorKind>();
  for (const { file, value } of await discover(folder, '.connector', isKind)) {
    if (kinds.has(value.type)) throw new StartError(`${file.pathname}: another connector has the type ${value.type}`);
    kinds.set(value.type, value);
  }
  return kinds;
}

const isKind = (candidate: unknown): candidate is ConnectorKind => {
  const { type, title, settings, open } = (candidate ?? {}) as Partial<ConnectorKind>;
  return typeof type === 'string' && typeof title === 'string' && !!settings && typeof open === 'function';
};

/** `acme-eu` is configured by `CONNECTOR_ACME_EU_…`. */
const variablePrefix = (id: string): string => `CONNECTOR_${id.toUpperCase().replaceAll('-', '_')}_`;

/**
 * Reads the settings of every connector in `ids`, in their order.
 * @param defaults built-in variables by id, named without the prefix; what the environment says comes first
 */
export function readConnectors(
  ids: readonly string[],
  env: Environment,
  kinds: ConnectorKinds,
  defaults: Readonly<Record<string, Environment>> = {},
): { readonly connectors: readonly ConfiguredConnector[]; readonly problems: readonly Problem[] } {
  const connectors: ConfiguredConnector[] = [];
  const problems: Problem[] = [];
  for (const [index, id] of ids.entries()) {
    const rival = ids.slice(0, index).find((other) => variablePrefix(other) === variablePrefix(id));
    const found = rival
      ? problem('CONNECTORS', `${rival} and ${id} would share their variables`)
      : readConnector(id, withDefaults(env, variablePrefix(id), defaults[id]), kinds);
    connectors.push(...found.connectors);
    problems.push(...found.problems);
  }
  return { connectors, problems };
}

type Reading = { readonly connectors: readonly ConfiguredConnector[]; readonly problems: readonly Problem[] };

const problem = (env: string, message: string): Reading => ({ connectors: [], problems: [{ env, message }] });

function readConnector(id: string, env: Environment, kinds: ConnectorKinds): Reading {
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(id)) {
    return problem('CONNECTORS', `an id is lower-case letters, digits and hyphens (got ${JSON.stringify(id)})`);
  }
  const prefix = variablePrefix(id);
  const type = env[`${prefix}TYPE`] || id;
  const kind = kinds.get(type);
  if (!kind) {
    const said = env[`${prefix}TYPE`] ? ` (got ${JSON.stringify(type)})` : ', or an id that is the name of one';
    return problem(`${prefix}TYPE`, `expected one of ${[...kinds.keys()].join(', ')}${said}`);
  }
  const { values, problems: unreadable } = readSettings(kind.settings, env, prefix);
  const settings = values as Values<ConnectorKind['settings']>;
  const contradictions = unreadable.length > 0 ? [] : (kind.rules?.(settings) ?? []);
  const problems = [...unreadable, ...contradictions.map((found) => ({ ...found, env: prefix + found.env }))];
  const title = env[`${prefix}NAME`] || (type === id ? kind.title : id);
  return { connectors: problems.length > 0 ? [] : [{ id, kind, title, settings }], problems };
}

function withDefaults(env: Environment, prefix: string, defaults: Environment = {}): Environment {
  const missing = Object.entries(defaults).filter(([name]) => !env[prefix + name] && !env[`${prefix + name}_FILE`]);
  return { ...env, ...Object.fromEntries(missing.map(([name, value]) => [prefix + name, value])) };
}

/** What the world gives to all connectors. */
export interface World {
  readonly clock?: Clock | undefined;
  /** Told of what goes wrong at a connector without ending a sign-in. */
  readonly onTrouble?: ((connector: string, message: string) => void) | undefined;
}

/**
 * Opens them in the same order.
 * @param issuer our own issuer, under which every connector has one callback of its own (RFC 9700 §4.4.2.2: no mix-up)
 */
export function openConnectors(
  configured: readonly ConfiguredConnector[],
  issuer: string,
  fetch: typeof globalThis.fetch,
  { clock, onTrouble }: World = {},
): readonly OpenConnector[] {
  return configured.map(({ id, kind, title, settings }) => {
    const callbackUrl = `${issuer}/callback/${id}`;
    const context = { callbackUrl, fetch, clock, onTrouble: (message: string) => onTrouble?.(id, message) };
    return { id, title, callbackUrl, secrets: secretsOf(kind, settings), connector: kind.open(settings, context) };
  });
}

const secretsOf = (kind: ConnectorKind, settings: ConfiguredConnector['settings']): readonly string[] =>
  Object.entries(kind.settings)
    .filter(([, { secret }]) => secret)
    .map(([name]) => settings[name])
    .filter((value) => typeof value === 'string');
