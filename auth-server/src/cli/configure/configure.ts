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
import { type Environment, readSettings } from '@mcp-oauth/shared/settings/config';
import { ownIssuer } from '@mcp-oauth/shared/settings/types';
import type { ConnectorKind } from '../../federation/connector.ts';
import {
  type ConfiguredConnector,
  type ConnectorKinds,
  openConnectors,
  variablePrefix,
} from '../../federation/registry.ts';
import { type Answer, answering } from './answering.ts';
import { givenBy, optionOf, optionsOf, questionsOf, replacedBy, secretFilesOf } from './answers.ts';
import { openTerminal, type Terminal } from './ask.ts';
import { draftOf, flawOfId, judging, validated } from './draft.ts';
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

/**
 * @param folder of the file .env
 * @param open opens the terminal, if a person sits in front of it
 */
export function configureCommand(all: ConnectorKinds, folder = '.', open = openTerminal): Command {
  // It sets up ways to sign in.
  const kinds = new Map([...all].filter(([, kind]) => !kind.tools?.isAlone));
  return {
    name: 'configure',
    summary: 'Set up an identity provider: asks, tries the connection, and writes .env.',
    details:
      'Without a terminal every answer is an option. A secret is better given as a file, --client-secret-file, or as a variable, CONNECTOR_<ID>_CLIENT_SECRET, because other users of the machine can read the command line. A file stays where it is: .env gets its path, and loses a secret of before.',
    options: { ...optionsOf(kinds.values()), ...OWN },
    run: async (invocation) => {
      const terminal = open();
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
  const { env, options, stdout, stderr } = invocation;
  const form = formOf(options.print);
  const answer = answering(invocation, terminal);
  const kind = await kindOf(answer, kinds);
  const id = await answer({
    option: 'id',
    question: 'Id of the connector',
    usual: kind.type,
    flawOf: (said) => flawOfId(said, kind, kinds),
  });
  const server = {
    option: 'server-url',
    question: 'Public URL of auth-server',
    usual: serverOf(env),
    flawOf: flawOfUrl,
  };
  const issuer = (await answer(server)).replace(/\/$/, '');
  const guide = guideOf(kind.type);
  stdout.write(`\nOpen ${guide.page}\n`);
  for (const step of guide.steps) stdout.write(`  - ${step.replace('{callback}', `${issuer}/callback/${id}`)}\n`);
  stdout.write('\n');
  const target = { id, kind, kinds, env };
  const files = secretFilesOf(kind, options);
  const questions = questionsOf(target, options).filter(({ name }) => !files.has(name));
  const given = givenBy(options, { kind, files, questions });
  const { refuseTheRest, flawOf, flawOfRule } = judging(target, questions, given);
  // Without a person all problems are named together, at the end.
  if (terminal) refuseTheRest();
  const answers: Record<string, string> = {};
  for (const { name, doc, example, isSecret, isRequired } of questions) {
    const isWritten = !isSecret || form === undefined || form === 'env';
    answers[name] = await answer({
      option: optionOf(name),
      question: `${name} (${doc}${example ? ` Example: ${example}` : ''})`,
      usual: env[variablePrefix(id) + name],
      isSecret,
      isOptional: !isRequired,
      flawOf: terminal && ((said) => flawOf(name, said, answers, isWritten)),
    });
  }
  const allow = await answer({
    option: 'allow',
    question: `Who may come in (such as ${guide.rule}, or anyone)`,
    usual: env[`${variablePrefix(id)}ALLOW`],
    flawOf: terminal && ((said) => flawOfRule(said, answers)),
  });
  const draft = draftOf(target, { ...answers, ...given }, allow);
  const connector = validated(target, draft);
  const isGood = options['no-test'] === true || (await tried(connector, { issuer, env, stdout }));
  write(invocation, { file: join(folder, '.env'), id, form, written: draft });
  if (isGood) return 0;
  stderr.write('The settings are valid, but the connection does not work yet: see above.\n');
  return 1;
}

/** @throws UsageError for a kind that there is not, if nobody can be asked again */
async function kindOf(answer: Answer, kinds: ConnectorKinds): Promise<ConnectorKind> {
  const types = [...kinds.keys()].join(', ');
  const flawOf = (type: string) =>
    kinds.has(type) ? undefined : `expected one of ${types} (got ${JSON.stringify(type)})`;
  const type = await answer({ option: 'provider', question: `Identity provider: ${types}`, flawOf });
  return kinds.get(type) as ConnectorKind;
}

const flawOfUrl = (url: string): string | undefined =>
  ownIssuer()
    .safeParse(url)
    .error?.issues.map(({ message }) => message)
    .join(', ');

/** With one origin, as with Docker, the issuer is PUBLIC_URL. */
const serverOf = ({ ISSUER, PUBLIC_URL }: Environment): string => ISSUER || PUBLIC_URL || 'http://localhost:9000';

interface Trial {
  readonly issuer: string;
  readonly env: Environment;
  readonly stdout: Invocation['stdout'];
}

async function tried(connector: ConfiguredConnector, { issuer, env, stdout }: Trial): Promise<boolean> {
  const fetch: Fetch = createOutgoingFetch(readSettings(proxySettings, withProxyVariables(env)).values);
  const [opened] = openConnectors([connector], issuer, fetch).connectors;
  const findings = opened ? await tryConnection(opened, fetch) : [];
  for (const { what, isGood, detail } of findings) stdout.write(`${isGood ? '✓' : '✗'} ${what}: ${detail}\n`);
  stdout.write('\n');
  return findings.every(({ isGood }) => isGood);
}

const FORMS = ['env', 'compose', 'kubernetes'];

/** @returns `undefined` for the file .env */
function formOf(print: unknown): string | undefined {
  if (print === undefined || FORMS.includes(String(print))) return print as string | undefined;
  throw new UsageError(`--print: expected one of ${FORMS.join(', ')}`);
}

interface Output {
  readonly file: string;
  readonly id: string;
  readonly form: string | undefined;
  readonly written: Written;
}

function write({ env, stdout, stderr }: Invocation, { file, id, form, written }: Output): void {
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
  else stdout.write(`${linesOf(written.variables).join('\n')}\n`);
}
