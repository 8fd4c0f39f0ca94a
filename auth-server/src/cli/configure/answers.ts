/** Owns which settings `configure` needs for a kind of identity provider, and the variables that the answers make. */
import { type Invocation, type Option, UsageError } from '@mcp-oauth/shared/cli/command';
import type { Environment, Setting, Settings } from '@mcp-oauth/shared/settings/config';
import type { ConnectorKind } from '../../federation/connector.ts';
import { variablePrefix } from '../../federation/registry.ts';
import type { Secret } from './output.ts';
import { guideOf } from './providers.ts';

export interface Question {
  /** The setting without its prefix, such as `CLIENT_ID`. */
  readonly name: string;
  readonly doc: string;
  readonly example: string | undefined;
  readonly isSecret: boolean;
  readonly isRequired: boolean;
}

/** `CLIENT_ID` is the option `--client-id`. */
export const optionOf = (name: string): string => name.toLowerCase().replaceAll('_', '-');

type Options = Invocation['options'];

interface Known {
  readonly id: string;
  readonly kind: ConnectorKind;
  readonly env: Environment;
}

/** The settings that have no default, and those that the guide of the kind asks for. */
export function questionsOf({ id, kind, env }: Known, options: Options): readonly Question[] {
  const { asks, inFiles = [] } = guideOf(kind.type);
  const isSet = (name: string) => Boolean(options[optionOf(name)] ?? env[variablePrefix(id) + name]);
  return (
    Object.values<Setting<unknown>>(kind.settings)
      .filter(({ env, optional, default: usual }) => (!optional && usual === undefined) || asks.includes(env))
      // A secret that is in a file stays there, unless an option gives another one.
      .filter(({ env, secret }) => !secret || options[optionOf(env)] !== undefined || !isSet(`${env}_FILE`))
      .map(({ env, doc, example, secret, optional }): Question => {
        if (inFiles.includes(env) && !isSet(env)) {
          return { name: `${env}_FILE`, doc: `Path. ${doc}`, example: undefined, isSecret: false, isRequired: true };
        }
        const isRequired = !optional || env === 'CLIENT_SECRET';
        return { name: env, doc, example, isSecret: secret === true, isRequired };
      })
  );
}

interface Given {
  readonly kind: ConnectorKind;
  readonly files: ReadonlyMap<string, string>;
  readonly questions: readonly Question[];
}

/** What options give that no question is about, by the names of the settings: other settings of the kind, and files of secrets. */
export function givenBy(options: Options, { kind, files, questions }: Given): Readonly<Record<string, string>> {
  const others = Object.values(kind.settings as Settings).flatMap(({ env }): [string, string][] => {
    const given = options[optionOf(env)];
    return typeof given === 'string' && !questions.some(({ name }) => name === env) ? [[env, given]] : [];
  });
  const paths = [...files].map(([name, path]) => [`${name}_FILE`, path] as const);
  return Object.fromEntries([...others, ...paths]);
}

/** Every setting of any kind, as an option of the command; a secret has a second one, for the file that it is in. */
export function optionsOf(kinds: Iterable<ConnectorKind>): Readonly<Record<string, Option>> {
  const settings = [...kinds].flatMap((kind) => Object.values(kind.settings as Settings));
  return Object.fromEntries(
    settings.flatMap(({ env, example, secret }): [string, Option][] => {
      const doc = `${env} of the connector${example ? `, such as ${example}` : ''}.`;
      const file = {
        type: 'string',
        value: 'path',
        doc: `File with ${env}, instead of the value: .env gets its path as ${env}_FILE.`,
      } as const;
      return [
        [optionOf(env), { type: 'string', value: 'value', doc }],
        ...(secret ? [[optionOf(`${env}_FILE`), file] as [string, Option]] : []),
      ];
    }),
  );
}

const secretsOf = ({ settings }: ConnectorKind): readonly string[] =>
  Object.values(settings as Settings).flatMap(({ env, secret }) => (secret ? [env] : []));

/**
 * The files that options name for secrets, by the names of the settings.
 * @throws UsageError for a secret that is given twice
 */
export function secretFilesOf(kind: ConnectorKind, options: Options): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const name of secretsOf(kind)) {
    const path = options[optionOf(`${name}_FILE`)];
    if (typeof path !== 'string') continue;
    if (path === '') throw new UsageError(`--${optionOf(`${name}_FILE`)} names no file`);
    if (options[optionOf(name)] !== undefined) {
      throw new UsageError(`--${optionOf(`${name}_FILE`)}: give only one of --${optionOf(name)} and this`);
    }
    files.set(name, path);
  }
  return files;
}

/** The secrets among the variables. */
export const secretsAmong = (
  kind: ConnectorKind,
  id: string,
  variables: Readonly<Record<string, string>>,
): readonly Secret[] =>
  secretsOf(kind).flatMap((env) => {
    const name = variablePrefix(id) + env;
    const path = variables[`${name}_FILE`];
    return path !== undefined || name in variables ? [{ name, path }] : [];
  });

/** The variables that must go: a secret counts before its file, and a file is of no use beside its secret. */
export const replacedBy = (secrets: readonly Secret[]): readonly string[] =>
  secrets.map(({ name, path }) => (path === undefined ? `${name}_FILE` : name));

export interface Answers {
  readonly id: string;
  readonly type: string;
  /** By the names of the settings. */
  readonly values: Readonly<Record<string, string>>;
  /** The rule that says who may come in. */
  readonly allow: string;
}

/** The variables of the connector, in the order in which they are read best. */
export function variablesOf({ id, type, values, allow }: Answers): Readonly<Record<string, string>> {
  const prefix = variablePrefix(id);
  const own = Object.entries(values).map(([name, value]) => [prefix + name, value] as const);
  return Object.fromEntries([
    ...(type === id ? [] : [[`${prefix}TYPE`, type] as const]),
    ...own.filter(([, value]) => value !== ''),
    [`${prefix}ALLOW`, allow],
  ]);
}

/** The connectors with one more; the development IdP is left out, because production refuses it. */
export function connectorsWith(id: string, before: string | undefined): string {
  const others = (before ?? '').split(/[\s,]+/).filter((other) => other && other !== 'development' && other !== id);
  return [...others, id].join(',');
}
