/**
 * Owns how a setting is declared and read: one declaration gives the typed value, the validation at start, the table in
 * docs/configuration.md and the line in .env.example.
 */
import type { z } from 'zod';
import { StartError } from '../errors.ts';
import { flawOfNames } from '../text/member-names.ts';
import { flawOfSecret } from './default-secret.ts';
import { readSettingFile } from './file.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

interface Declaration<T> {
  /** Name of the environment variable; for a family of settings the part after its prefix. */
  readonly env: string;
  /** One or two sentences for the operator. */
  readonly doc: string;
  /** Parses the text of the variable; the operator reads its issues. */
  readonly type: z.ZodType<T, string>;
  /** Used when the variable is not set or empty, as text, so that it passes the same validation. */
  readonly default?: string;
  readonly example?: string;
  /** Never printed, may come from a file (NAME_FILE=/run/secrets/name), and in production must not be a publicly known value. */
  readonly secret?: true;
  /** Is not to have a secret, but may by mistake: an error does not repeat its value. */
  readonly mayHoldSecret?: true;
}

export interface Setting<T> extends Declaration<T> {
  readonly optional: boolean;
}
export type Settings = Readonly<Record<string, Setting<unknown>>>;
export type Values<S extends Settings> = { readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never };

/** Declares a setting that has a default or must be given. */
export const setting = <T>(declaration: Declaration<T>): Setting<T> => ({ ...declaration, optional: false });

/** Declares a setting that may be absent. */
export const optional = <T>(declaration: Omit<Declaration<T>, 'default'>): Setting<T | undefined> => ({
  ...declaration,
  optional: true,
});

export interface Problem {
  readonly env: string;
  readonly message: string;
}

/** Every problem of a configuration at once, each named by its variable. */
export class ConfigError extends StartError {
  override readonly name = 'ConfigError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(({ env, message }) => `${env}: ${message}`).join('\n'));
    this.problems = problems;
  }
}

/** Reads all valid variables and collects a problem for every other one. */
export function readSettings<S extends Settings>(settings: S, env: Environment, prefix = '') {
  const values: Record<string, unknown> = {};
  const problems: Problem[] = [];
  for (const [key, declared] of Object.entries(settings)) {
    const name = prefix + declared.env;
    try {
      values[key] = readSetting(declared, name, env);
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      problems.push({ env: name, message: error.message });
    }
  }
  return { values: values as Partial<Values<S>>, problems };
}

/**
 * The frozen configuration of a service.
 * @param rules judges what could be read: production rules, settings that exclude each other
 * @throws ConfigError with all problems
 */
export function loadConfig<S extends Settings>(
  settings: S,
  env: Environment,
  rules: (values: Partial<Values<S>>) => readonly Problem[] = () => [],
): Values<S> {
  const { values, problems } = readSettings(settings, env);
  return accept(values as Values<S>, [...problems, ...rules(values)]);
}

/** @throws ConfigError with the first problem of each variable: later ones may be false, because an invalid variable looks absent to the rules */
export function accept<T extends object>(values: T, problems: readonly Problem[]): T {
  const first = problems.filter(({ env }, index) => problems.findIndex((other) => other.env === env) === index);
  if (first.length > 0) throw new ConfigError(first);
  return Object.freeze(values);
}

function readSetting(declared: Setting<unknown>, name: string, env: Environment): unknown {
  const text = env[name] || (declared.secret && fromFile(`${name}_FILE`, env)) || declared.default;
  if (text === undefined || text === '') {
    if (declared.optional) return undefined;
    throw new StartError('is required but not set');
  }
  const flaw = declared.secret && env.NODE_ENV?.trim() === 'production' ? flawOfSecret(text) : undefined;
  if (flaw) throw new StartError(flaw);
  const parsed = declared.type.safeParse(text);
  // Before what the parser says: it leaves out a member `__proto__`, and would only call an object of nothing else empty.
  const lost = flawOfNames(text);
  if (lost !== undefined) throw new StartError(lost);
  if (parsed.success) return parsed.data;
  const expected = parsed.error.issues.map(({ message }) => message).join(', ');
  const link = name.endsWith('PORT') && SERVICE_LINK.test(text) ? SET_BY_KUBERNETES : '';
  if (declared.secret || declared.mayHoldSecret) throw new StartError(expected);
  throw new StartError(`${expected} (got ${JSON.stringify(withoutPassword(text))}${link})`);
}

/** Who names a user in a URL names a password too. */
const withoutPassword = (text: string): string => text.replace(/\/\/\S*@/g, '//…@');

const SERVICE_LINK = /^(tcp|udp|sctp):\/\//;
const SET_BY_KUBERNETES =
  ', which Kubernetes sets for a Service of that name: set enableServiceLinks to false in the pod';

function fromFile(name: string, env: Environment): string | undefined {
  const path = env[name];
  if (!path) return undefined;
  const content = readSettingFile(`the file in ${name}, ${path},`, path).toString().trim();
  // The command that should have written it may have failed. Without the secret the service would start with less protection.
  if (content === '') throw new StartError(`the file in ${name}, ${path}, is empty`);
  return content;
}
