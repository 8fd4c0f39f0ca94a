/**
 * Owns `configure`: it sets up an identity provider by questions or by options, tries the connection, and writes the settings. Nothing
 * is written before every setting is valid.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { type Command, type Invocation, type Option, UsageError } from '@mcp-oauth/shared/cli/command';
import { createOutgoingFetch, type Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import { proxySettings, withProxyVariables } from '@mcp-oauth/shared/network/settings';
import { ConfigError, type Environment, readSettings } from '@mcp-oauth/shared/settings/config';
import { judgeAccess } from '../../access/settings.ts';
import { connectorSettings } from '../../config.ts';
import type { ConnectorKind } from '../../federation/connector.ts';
import {
  type ConfiguredConnector,
  type ConnectorKinds,
  openConnectors,
  readConnectors,
  variablePrefix,
} from '../../federation/registry.ts';
import {
  connectorsWith,
  optionOf,
  optionsOf,
  questionsOf,
  replacedBy,
  secretFilesOf,
  secretsAmong,
  variablesOf,
} from './answers.ts';
import { openTerminal, type Terminal } from './ask.ts';
import { forCompose, forKubernetes, linesOf, type Written, withoutVariables, withVariables } from './output.ts';
import { guideOf } from './providers.ts';
import { tryConnection } from './trial.ts';

const OWN: Readonly<Record<string, Option>> = {
  provider: { type: 'string', value: 'type', doc: 'Kind of identity provider.' },
  id: { type: 'string', value: 'id', doc: 'Id of the connector. Not set: the kind.' },
  'server-url': { type: 'string', value: 'url', doc: 'Public URL of auth-server. Not set: ISSUER or PUBLIC_URL.' },
  allow: { type: 'string', value: 'rules', doc: 'Who may come in, such as domain:example.com.' },
  print: {
    type: 'string',
    value: 'form',
    doc: 'Print the settings instead of writing .env: env, compose or kubernetes.',
  },
  'no-test': { type: 'boolean', doc: 'Do not try the connection.' },
};

/** @param folder of the file .env */
export function configureCommand(kinds: ConnectorKinds, folder = '.'): Command {
  return {
    name: 'configure',
    summary: 'Set up an identity provider: asks, tries the connection, and writes .env.',
    details:
      'Without a terminal every answer is an option. A secret is better given as a file, --client-secret-file, or as a variable, CONNECTOR_<ID>_CLIENT_SECRET, because other users of the machine can read the command line. A file stays where it is: .env gets its path, and loses a secret of before.',
    options: { ...optionsOf(kinds.values()), ...OWN },
    run: async (invocation) => {
      const terminal = openTerminal();
      try {
        return await configure(invocation, { kinds, terminal, folder });
      } finally {
        terminal?.close();
      }
    },
  };
}

interface ConfigureDependencies {
  readonly kinds: ConnectorKinds;
  readonly terminal: Terminal | undefined;
  readonly folder: string;
}

async function configure(invocation: Invocation, { kinds, terminal, folder }: ConfigureDependencies): Promise<number> {
  const { env, stdout, stderr } = invocation;
  const answer = answering(invocation, terminal);
  const kind = await kindOf(answer, kinds);
  const id = await answer({ option: 'id', question: 'Id of the connector', usual: kind.type });
  const issuer = (
    await answer({ option: 'server-url', question: 'Public URL of auth-server', usual: serverOf(env) })
  ).replace(/\/$/, '');
  const guide = guideOf(kind.type);
  stdout.write(`\nOpen ${guide.page}\n`);
  for (const step of guide.steps) stdout.write(`  - ${step.replace('{callback}', `${issuer}/callback/${id}`)}\n`);
  stdout.write('\n');
  const files = secretFilesOf(kind, invocation.options);
  const values: Record<string, string> = {};
  for (const { name, doc, example, isSecret, isRequired } of questionsOf(kind)) {
    const known = env[variablePrefix(id) + name];
    // A secret that is in a file stays there, unless an option gives another one.
    const isInFile = isSecret && Boolean(env[`${variablePrefix(id)}${name}_FILE`]);
    if (files.has(name) || (isInFile && invocation.options[optionOf(name)] === undefined)) continue;
    const question = `${name} (${doc}${example ? ` Example: ${example}` : ''})`;
    values[name] = await answer({ option: optionOf(name), question, usual: known, isSecret, isOptional: !isRequired });
  }
  // Every other setting of the kind that an option gives.
  for (const { env: name } of Object.values(kind.settings)) {
    const given = invocation.options[optionOf(name)];
    if (typeof given === 'string') values[name] = given;
  }
  for (const [name, path] of files) values[`${name}_FILE`] = path;
  const allow = await answer({
    option: 'allow',
    question: `Who may come in (such as ${guide.rule}, or anyone)`,
    usual: env[`${variablePrefix(id)}ALLOW`],
  });
  const variables = {
    CONNECTORS: connectorsWith(id, env.CONNECTORS),
    ...variablesOf({ id, type: kind.type, values, allow }),
  };
  const secrets = secretsAmong(kind, id, variables);
  const replaced = replacedBy(secrets);
  const without = Object.fromEntries(replaced.map((name) => [name, undefined]));
  const connector = validated(id, { ...env, ...variables, ...without }, kinds);
  const isGood = invocation.options['no-test'] === true || (await tried(connector, { issuer, env, stdout }));
  write(invocation, join(folder, '.env'), id, { variables, secrets });
  if (isGood) return 0;
  stderr.write('The settings are valid, but the connection does not work yet: see above.\n');
  return 1;
}

interface Asked {
  readonly option: string;
  readonly question: string;
  readonly usual?: string | undefined;
  readonly isSecret?: boolean;
  readonly isOptional?: boolean;
}

/** An option answers first, then the person, then what is set already. */
const answering =
  ({ options }: Invocation, terminal: Terminal | undefined) =>
  async ({ option, question, usual, isSecret = false, isOptional = false }: Asked): Promise<string> => {
    const given = options[option];
    if (typeof given === 'string' && given !== '') return given;
    for (;;) {
      const said = terminal ? await terminal.ask(question, { usual: isSecret ? undefined : usual, isSecret }) : '';
      const answer = said || (usual ?? '');
      if (answer !== '' || isOptional) return answer;
      if (!terminal) throw new UsageError(`--${option} is missing`);
    }
  };

async function kindOf(answer: ReturnType<typeof answering>, kinds: ConnectorKinds): Promise<ConnectorKind> {
  const types = [...kinds.keys()].join(', ');
  const type = await answer({ option: 'provider', question: `Identity provider: ${types}` });
  const kind = kinds.get(type);
  if (!kind) throw new UsageError(`--provider: expected one of ${types} (got ${JSON.stringify(type)})`);
  return kind;
}

/** With one origin, as with Docker, the issuer is PUBLIC_URL. */
const serverOf = ({ ISSUER, PUBLIC_URL }: Environment): string => ISSUER || PUBLIC_URL || 'http://localhost:9000';

/** @throws ConfigError with all problems */
function validated(id: string, env: Environment, kinds: ConnectorKinds): ConfiguredConnector {
  const { connectors, problems } = readConnectors([id], env, kinds, { every: connectorSettings });
  const [connector] = connectors;
  const all = [...problems, ...judgeAccess({}, connectors)];
  if (all.length > 0 || !connector) throw new ConfigError(all);
  return connector;
}

interface Trial {
  readonly issuer: string;
  readonly env: Environment;
  readonly stdout: Invocation['stdout'];
}

async function tried(connector: ConfiguredConnector, { issuer, env, stdout }: Trial): Promise<boolean> {
  const fetch: Fetch = createOutgoingFetch(readSettings(proxySettings, withProxyVariables(env)).values);
  const [opened] = openConnectors([connector], issuer, fetch);
  const findings = opened ? await tryConnection(opened, fetch) : [];
  for (const { what, isGood, detail } of findings) stdout.write(`${isGood ? '✓' : '✗'} ${what}: ${detail}\n`);
  stdout.write('\n');
  return findings.every(({ isGood }) => isGood);
}

const FORMS = ['env', 'compose', 'kubernetes'];

function write({ options, env, stdout, stderr }: Invocation, file: string, id: string, written: Written): void {
  const form = options.print;
  const replaced = replacedBy(written.secrets);
  if (form === undefined) {
    const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
    // In one step, so that an interruption leaves the old file; only its owner may read the secret.
    const kept = withoutVariables(before, replaced);
    writeFileSync(`${file}.new`, withVariables(kept, written.variables), { mode: 0o600 });
    renameSync(`${file}.new`, file);
    const inFile = parseEnv(before);
    const removed = replaced.filter((name) => inFile[name] !== undefined);
    if (removed.length > 0) stdout.write(`Removed ${removed.join(', ')} from .env.\n`);
    stdout.write(`Wrote ${Object.keys(written.variables).join(', ')} to .env. Restart auth-server.\n`);
    for (const { name } of written.secrets.filter(({ name, path }) => path && env[name] && !inFile[name])) {
      stderr.write(`${name} is set outside of .env and counts before ${name}_FILE: unset it.\n`);
    }
    return;
  }
  if (form === 'compose') stdout.write(`${forCompose(id, written)}\n`);
  else if (form === 'kubernetes') stdout.write(`${forKubernetes(id, written)}\n`);
  else if (form === 'env') stdout.write(`${linesOf(written.variables).join('\n')}\n`);
  else throw new UsageError(`--print: expected one of ${FORMS.join(', ')}`);
}
