/** Owns the connectors: the kinds found in connectors/, the connectors that the operator configured, and how they are opened. */
import type { Clock } from '@mcp-oauth/shared/clock';
import { StartError } from '@mcp-oauth/shared/errors';
import {
  type Environment,
  type Problem,
  readSettings,
  type Settings,
  type Values,
} from '@mcp-oauth/shared/settings/config';
import { familyPrefix, flawOfId, unknownMembers, withDefaults } from '@mcp-oauth/shared/settings/family';
import { unknownMember } from '@mcp-oauth/shared/text/nearest';
import type { Acceptance, Connector, ConnectorContext, ConnectorKind, ToolAccess, Use } from './connector.ts';
import { discover } from './discover.ts';

export type ConnectorKinds = ReadonlyMap<string, ConnectorKind>;

/** A configured connector, which is opened later. */
export interface ConfiguredConnector {
  readonly id: string;
  readonly kind: ConnectorKind;
  /** Text on its button after "Continue with". */
  readonly title: string;
  readonly settings: Values<ConnectorKind['settings']>;
  /** The settings that every connector has, whatever its kind. */
  readonly every?: Readonly<Record<string, unknown>> | undefined;
}

export interface OpenConnector {
  readonly id: string;
  readonly title: string;
  readonly connector: Connector;
  /** URL to which its upstream sends the browser back. */
  readonly callbackUrl: string;
  /** Values of its settings that no log may show, even if the upstream repeats them. */
  readonly secrets?: readonly string[] | undefined;
}

/** A configured connector whose tokens tools may get. */
export interface OpenTools {
  readonly id: string;
  /** The name of the upstream for people. */
  readonly title: string;
  /** The type of the connector, by which its scopes have words. Absent: all words that there are. */
  readonly type?: string | undefined;
  readonly access: ToolAccess;
  /** The scopes that tools may get (TOOL_SCOPES). */
  readonly scopes: readonly string[];
  /** URL to which its upstream sends the browser back. */
  readonly callbackUrl: string;
  /** Which accounts may be connected, beside their persons being the same. Absent: all. */
  readonly acceptance?: Acceptance | undefined;
  /** Values of its settings that no log may show, even if the upstream repeats them. */
  readonly secrets?: readonly string[] | undefined;
}

/** @throws StartError when a file does not declare a kind, or two declare the same type */
export async function discoverKinds(folder: URL): Promise<ConnectorKinds> {
  const kinds = new Map<string, ConnectorKind>();
  for (const { file, value } of await discover(folder, '.connector', isKind)) {
    if (kinds.has(value.type)) throw new StartError(`${file.pathname}: another connector has the type ${value.type}`);
    const problem = unknownMemberOf(value);
    if (problem) throw new StartError(`${file.pathname}: ${problem}`);
    kinds.set(value.type, value);
  }
  return kinds;
}

const KIND: ReadonlySet<string> = new Set([
  'type', 'title', 'settings', 'lacks', 'tools', 'ruleTypes', 'caseInsensitive', 'rules', 'acceptance', 'open',
]); // biome-ignore format: one list
const SETTING: ReadonlySet<string> = new Set(['env', 'doc', 'type', 'default', 'example', 'secret', 'optional']);

/** An unknown member may be a typo with consequences: a `rule` checks nothing, and `secrets` hides nothing from the log. */
function unknownMemberOf(kind: ConnectorKind): string | undefined {
  const parts = [
    { where: '', value: kind as object, known: KIND },
    ...Object.entries(kind.settings).map(([name, value]) => ({ where: `settings.${name}: `, value, known: SETTING })),
  ];
  for (const { where, value, known } of parts) {
    const name = Object.keys(value).find((member) => !known.has(member));
    if (name !== undefined) return where + unknownMember(name, known);
  }
  return undefined;
}

const isKind = (candidate: unknown): candidate is ConnectorKind => {
  const { type, title, settings, open } = (candidate ?? {}) as Partial<ConnectorKind>;
  return typeof type === 'string' && typeof title === 'string' && !!settings && typeof open === 'function';
};

/** `acme-eu` is configured by `CONNECTOR_ACME_EU_…`. */
export const variablePrefix = (id: string): string => familyPrefix('CONNECTOR', id);

/**
 * Reads the settings of every connector in `ids`, in their order.
 * @param every settings that each connector has, whatever its kind
 * @param defaults built-in variables by id, named without the prefix; the environment takes precedence
 */
export function readConnectors(
  ids: readonly string[],
  env: Environment,
  kinds: ConnectorKinds,
  { every = {}, defaults = {} }: { every?: Settings; defaults?: Readonly<Record<string, Environment>> } = {},
): { readonly connectors: readonly ConfiguredConnector[]; readonly problems: readonly Problem[] } {
  const connectors: ConfiguredConnector[] = [];
  const problems: Problem[] = [];
  for (const [index, id] of ids.entries()) {
    const flaw = flawOfId('CONNECTOR', id, ids.slice(0, index));
    const found = flaw
      ? problem('CONNECTORS', flaw)
      : readConnector(id, withDefaults(env, variablePrefix(id), defaults[id]), { kinds, every, others: ids });
    connectors.push(...found.connectors);
    problems.push(...found.problems);
  }
  return { connectors, problems };
}

type Reading = { readonly connectors: readonly ConfiguredConnector[]; readonly problems: readonly Problem[] };

const problem = (env: string, message: string): Reading => ({ connectors: [], problems: [{ env, message }] });

interface Known {
  readonly kinds: ConnectorKinds;
  readonly every: Settings;
  readonly others: readonly string[];
}

function readConnector(id: string, env: Environment, { kinds, every, others }: Known): Reading {
  const prefix = variablePrefix(id);
  const type = env[`${prefix}TYPE`] || id;
  const kind = kinds.get(type);
  if (!kind) {
    const said = env[`${prefix}TYPE`] ? ` (got ${JSON.stringify(type)})` : ', or an id that is the name of one';
    return problem(`${prefix}TYPE`, `expected one of ${[...kinds.keys()].join(', ')}${said}`);
  }
  const { values, problems: unreadable } = readSettings(kind.settings, env, prefix);
  const { values: general, problems: unreadableGeneral } = readSettings(every, env, prefix);
  const settings = values as Values<ConnectorKind['settings']>;
  const contradictions = unreadable.length > 0 ? [] : (kind.rules?.(settings) ?? []);
  const problems = [
    ...unreadable,
    ...unreadableGeneral,
    ...contradictions.map((found) => ({ ...found, env: prefix + found.env })),
    ...unknownMembers({
      declared: { ...kind.settings, ...every },
      more: ['TYPE', 'NAME'],
      env,
      prefix,
      others: prefixesOf(others, env).filter((other) => other.startsWith(prefix)),
      owner: `the connector type ${kind.type}`,
      lacks: kind.lacks,
    }),
  ];
  const title = env[`${prefix}NAME`] || (type === id ? kind.title : id);
  return { connectors: problems.length > 0 ? [] : [{ id, kind, title, settings, every: general }], problems };
}

/** Prefixes of the other connectors: `CONNECTOR_ACME_EU_TYPE` belongs to `acme-eu`, whether that is in CONNECTORS or not. */
const prefixesOf = (ids: readonly string[], env: Environment): readonly string[] => [
  ...ids.map(variablePrefix),
  ...Object.keys(env).flatMap((name) =>
    env[name] && /^CONNECTOR_.+_TYPE$/.test(name) ? [name.slice(0, -'TYPE'.length)] : [],
  ),
];

/** The dependencies of all connectors. */
export interface ConnectorDependencies {
  readonly clock?: Clock | undefined;
  /** The types of rules that are configured for a connector. */
  readonly needs?: ((connector: string) => ConnectorContext['needs']) | undefined;
  /** Called for problems of a connector that do not end a sign-in. */
  readonly onTrouble?: ((connector: string, message: string) => void) | undefined;
}

/** Whether the operator wants a connector for this; without a setting it signs people in. */
export const isFor =
  (use: Use) =>
  ({ every }: Pick<ConfiguredConnector, 'every'>): boolean =>
    usesOf(every).includes(use);

const usesOf = (every: ConfiguredConnector['every']): readonly Use[] =>
  (every?.use as readonly Use[] | undefined) ?? ['sign-in'];

export interface Opened {
  /** The ways to sign in. */
  readonly connectors: readonly OpenConnector[];
  /** The upstreams whose tokens tools may get. */
  readonly tools: readonly OpenTools[];
}

/**
 * Opens the connectors in the same order.
 * @param issuer our own issuer, under which every connector has one callback of its own (RFC 9700 §4.4.2.2: no mix-up)
 */
export function openConnectors(
  configured: readonly ConfiguredConnector[],
  issuer: string,
  fetch: typeof globalThis.fetch,
  { clock, needs, onTrouble }: ConnectorDependencies = {},
): Opened {
  const all = configured.map(({ id, kind, title, settings, every }) => {
    const callbackUrl = `${issuer}/callback/${id}`;
    const uses = usesOf(every);
    const context = {
      callbackUrl,
      fetch,
      clock,
      uses,
      needs: uses.includes('sign-in') ? needs?.(id) : undefined,
      onTrouble: (message: string) => onTrouble?.(id, message),
    };
    const shared = { id, title, callbackUrl, secrets: secretsOf(kind, settings) };
    const connector = kind.open(settings, context);
    const refuse = (wanted: string): never => {
      throw new StartError(`connector ${id}: open() of the type ${kind.type} must return an object with ${wanted}`);
    };
    const access = connector?.tools;
    if (uses.includes('tools') && typeof access?.begin !== 'function') refuse('tools');
    const scopes = (every?.toolScopes as readonly string[] | undefined) ?? [];
    const acceptance = kind.acceptance?.(settings);
    return {
      signIn: uses.includes('sign-in') && {
        ...shared,
        connector: isConnector(connector) ? connector : refuse('begin() and finish()'),
      },
      tools: uses.includes('tools') && access && { ...shared, type: kind.type, access, scopes, acceptance },
    };
  });
  return {
    connectors: all.flatMap(({ signIn }) => signIn || []),
    tools: all.flatMap(({ tools }) => tools || []),
  };
}

const isConnector = (candidate: unknown): candidate is Connector => {
  const { begin, finish } = (candidate ?? {}) as Partial<Connector>;
  return typeof begin === 'function' && typeof finish === 'function';
};

const secretsOf = (kind: ConnectorKind, settings: ConfiguredConnector['settings']): readonly string[] =>
  Object.entries(kind.settings)
    .filter(([, { secret }]) => secret)
    .map(([name]) => settings[name])
    .filter((value) => typeof value === 'string');
