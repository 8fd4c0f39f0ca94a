/** Owns which settings `configure` needs for a kind of identity provider, and the variables that the answers make. */
import type { Setting, Settings } from '@mcp-oauth/shared/settings/config';
import type { ConnectorKind } from '../../federation/connector.ts';
import { variablePrefix } from '../../federation/registry.ts';
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

/** The settings that have no default, and those that the guide of the kind asks for. */
export function questionsOf(kind: ConnectorKind): readonly Question[] {
  const { asks } = guideOf(kind.type);
  return Object.values<Setting<unknown>>(kind.settings)
    .filter(({ env, optional, default: usual }) => (!optional && usual === undefined) || asks.includes(env))
    .map(({ env, doc, example, secret, optional }) => ({
      name: env,
      doc,
      example,
      isSecret: secret === true,
      isRequired: !optional || env === 'CLIENT_SECRET',
    }));
}

/** Every setting of any kind, as an option of the command. */
export function optionsOf(kinds: Iterable<ConnectorKind>): Readonly<Record<string, Setting<unknown>>> {
  const settings = [...kinds].flatMap((kind) => Object.values(kind.settings as Settings));
  return Object.fromEntries(settings.map((setting) => [optionOf(setting.env), setting]));
}

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
