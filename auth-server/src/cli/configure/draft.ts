/** Owns the settings that the answers of `configure` make, and whether they are valid: all together, or one answer while others are open. */
import { StartError } from '@mcp-oauth/shared/errors';
import { ConfigError, type Environment, type Problem } from '@mcp-oauth/shared/settings/config';
import { judgeAccess } from '../../access/settings.ts';
import { connectorSettings } from '../../config.ts';
import type { ConnectorKind } from '../../federation/connector.ts';
import {
  type ConfiguredConnector,
  type ConnectorKinds,
  readConnectors,
  variablePrefix,
} from '../../federation/registry.ts';
import { connectorsWith, type Question, replacedBy, secretsAmong, variablesOf } from './answers.ts';
import { linesOf, type Written } from './output.ts';

/** The connector that is set up, and what is set already. */
export interface Target {
  readonly id: string;
  readonly kind: ConnectorKind;
  readonly kinds: ConnectorKinds;
  readonly env: Environment;
}

type Values = Readonly<Record<string, string>>;

export interface Draft extends Written {
  /** What is set already, with the answers in place of what they replace. */
  readonly environment: Environment;
}

/**
 * @param values by the names of the settings
 * @param allow the rule that says who may come in
 */
export function draftOf({ id, kind, env }: Target, values: Values, allow: string): Draft {
  const variables = {
    CONNECTORS: connectorsWith(id, env.CONNECTORS),
    ...variablesOf({ id, type: kind.type, values, allow }),
  };
  const secrets = secretsAmong(kind, id, variables);
  const without = Object.fromEntries(replacedBy(secrets).map((name) => [name, undefined]));
  return { variables, secrets, environment: { ...env, ...variables, ...without } };
}

function judge(id: string, kinds: ConnectorKinds, environment: Environment) {
  const { connectors, problems } = readConnectors([id], environment, kinds, { every: connectorSettings });
  return { connector: connectors[0], problems: [...problems, ...judgeAccess({}, connectors)] };
}

/** @throws ConfigError with all problems */
export function validated({ id, kinds }: Target, { environment }: Draft): ConfiguredConnector {
  const { connector, problems } = judge(id, kinds, environment);
  if (problems.length > 0 || !connector) throw new ConfigError(problems);
  return connector;
}

/** What is wrong with an id, before anything else is known. */
export const flawOfId = (id: string, { type }: ConnectorKind, kinds: ConnectorKinds): string | undefined =>
  judge(id, kinds, { [`${variablePrefix(id)}TYPE`]: type }).problems.find(({ env }) => env === 'CONNECTORS')?.message;

/** The answer to a question that nobody has answered yet, if the question has no example. */
const OPEN = 'an-answer-that-is-still-open';
const ANYONE = 'anyone';
const ALLOW = 'ALLOW';

/** Judges single answers. The rules of a kind need all settings, so every open question counts as answered by its example. */
export function judging(target: Target, questions: readonly Question[], given: Values) {
  const prefix = variablePrefix(target.id);
  const required = questions.filter(({ name, isRequired }) => isRequired && !name.endsWith('_FILE'));
  const examples = Object.fromEntries(required.map(({ name, example = OPEN }) => [name, example]));
  const problemsOf = (answers: Values, allow = ANYONE): readonly Problem[] =>
    judge(target.id, target.kinds, draftOf(target, { ...examples, ...answers, ...given }, allow).environment).problems;
  /** A problem with a file has the name of the setting, whose value the file has. */
  const isAbout = (name: string, { env }: Problem) => [env, `${env}_FILE`].includes(prefix + name);
  const inWords = (problem: Problem | undefined) => problem && `${problem.env}: ${problem.message}`;
  return {
    /** @throws ConfigError if something is wrong that no question is about */
    refuseTheRest: (): void => {
      const asked = [ALLOW, ...questions.map(({ name }) => name)];
      const rest = problemsOf({}).filter((problem) => !asked.some((name) => isAbout(name, problem)));
      if (rest.length > 0) throw new ConfigError(rest);
    },
    /** @param isWritten whether the value itself is part of the output */
    flawOf: (name: string, answer: string, before: Values, isWritten: boolean): string | undefined =>
      inWords(problemsOf({ ...before, [name]: answer }).find((problem) => isAbout(name, problem))) ??
      (isWritten ? unwritable(prefix + name, answer) : undefined),
    flawOfRule: (allow: string, before: Values): string | undefined =>
      inWords(problemsOf(before, allow).find((problem) => isAbout(ALLOW, problem))) ??
      unwritable(prefix + ALLOW, allow),
  };
}

function unwritable(variable: string, value: string): string | undefined {
  try {
    linesOf({ [variable]: value });
  } catch (error) {
    if (error instanceof StartError) return error.message;
    throw error;
  }
  return undefined;
}
