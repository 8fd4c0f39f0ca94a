/** Owns `tokens`: how an operator makes tokens for services, and lists and ends those of services and people. */
import { userName } from '@mcp-oauth/shared/audit/cli/audited';
import { type Command, type CommandGroup, type Invocation, UsageError } from '@mcp-oauth/shared/cli/command';
import { json, showList, timeOf } from '@mcp-oauth/shared/cli/list';
import { StartError } from '@mcp-oauth/shared/errors';
import { duration } from '@mcp-oauth/shared/settings/types';
import { composeForOperator, type OperatorTokens } from '../../compose/personal-tokens/operator.ts';
import type { Config } from '../../config.ts';
import { endedEntry } from '../../personal-tokens/ending.ts';
import type { NewToken } from '../../personal-tokens/personal-tokens.ts';
import { type Owner, type PersonalToken, subjectOf, TokenRefused } from '../../personal-tokens/token.ts';
import { rowOfToken } from '../listing/token-rows.ts';
import type { OpenedStore, WithStore } from '../store.ts';
import { openTokenFile } from './output-file.ts';

interface Opened extends OperatorTokens, Pick<OpenedStore, 'config' | 'audit'> {}

type WithTokens = (invocation: Invocation, work: (opened: Opened) => Promise<number>) => Promise<number>;

const DAY = 86_400;
/** Seconds. */
const USUAL_LIFETIME = 30 * DAY;

export function tokensCommands(withStore: WithStore): CommandGroup {
  const withTokens: WithTokens = ({ env }, work) =>
    withStore(env, async (opened) => work({ ...opened, ...(await composeForOperator(opened)) }));
  return {
    name: 'tokens',
    summary: 'Long-lived tokens of services, and the personal tokens that people made (PERSONAL_TOKENS).',
    commands: [add(withTokens), list(withTokens), end(withTokens)],
  };
}

const add = (withTokens: WithTokens): Command => ({
  name: 'add',
  summary: 'Make a token for a service that can only send a fixed header, and show it once.',
  details:
    'The service sends it as Authorization: Bearer <token>. It is the subject service:<name>, and a client of its own. A service that can send a request of its own is better off with client_credentials.',
  parameters: ['service'],
  options: {
    scopes: { type: 'string', value: 'list', doc: 'Scopes of the token, separated by commas.' },
    resource: { type: 'string', value: 'url', doc: 'The MCP server. Not set: the only one of RESOURCES.' },
    expires: {
      type: 'string',
      value: 'time',
      doc: 'Lifetime, such as 12h or 30d, at most PERSONAL_TOKEN_LIFETIME. Not set: 30d, or that.',
    },
    name: { type: 'string', value: 'text', doc: 'What the token is for. Not set: the name of the service.' },
    output: { type: 'string', value: 'file', doc: 'Write the token into this new file instead, with mode 0600.' },
    json: { type: 'boolean', doc: 'Print the token and its facts as JSON.' },
  },
  run: (invocation) => {
    const { parameters, options, stdout, stderr } = invocation;
    const { service = '' } = parameters;
    return withTokens(invocation, async ({ config, tokens }) => {
      const asked = askedFor(invocation, config);
      const file = typeof options.output === 'string' ? openTokenFile(options.output) : undefined;
      const { token, record } = await tokens.addForService(service, asked).catch((error: unknown) => {
        file?.drop();
        throw error instanceof TokenRefused ? new StartError(error.reason) : error;
      });
      file?.keep(token);
      const facts = { ...describe({ kind: 'service', name: service }, record), ...(!file && { token }) };
      if (options.json) stdout.write(`${JSON.stringify(facts, null, 2)}\n`);
      else if (!file) stdout.write(`${token}\n`);
      const end = timeOf(record.expiresAt);
      stderr.write(`This is token ${record.id} of ${facts.owner}, valid until ${end}. It is not shown again.\n`);
      return 0;
    });
  },
});

function askedFor({ parameters, options }: Invocation, config: Config): NewToken {
  const scopes = String(options.scopes ?? '')
    .split(/[\s,]+/)
    .filter(Boolean);
  if (scopes.length === 0) throw new UsageError('--scopes: name at least one scope');
  const [only, ...others] = config.resources;
  if (options.resource === undefined && others.length > 0) {
    const all = config.resources.map(({ identifiers }) => identifiers[0]).join(', ');
    throw new UsageError(`--resource: name one of ${all}`);
  }
  return {
    name: String(options.name ?? parameters.service),
    lifetime: lifetimeOf(options.expires, config),
    resource: String(options.resource ?? only.identifiers[0]),
    scopes,
  };
}

function lifetimeOf(written: unknown, { personalTokenLifetime }: Config): number {
  if (written === undefined) return Math.min(USUAL_LIFETIME, personalTokenLifetime);
  const parsed = duration().safeParse(written);
  if (parsed.success) return parsed.data;
  throw new UsageError(`--expires: ${parsed.error.issues.map(({ message }) => message).join(', ')}`);
}

const list = (withTokens: WithTokens): Command => ({
  name: 'list',
  summary: 'Show the valid tokens of services and people.',
  options: { json },
  run: (invocation) =>
    withTokens(invocation, async ({ tokens, labelOf }) => {
      const rows = [];
      for (const { owner, tokens: theirs } of await tokens.all()) {
        const label = await labelOf(owner);
        for (const token of theirs) rows.push(describe(owner, token, label));
      }
      showList(invocation, rows, 'There are no tokens.');
      return 0;
    }),
});

function describe(owner: Owner, token: PersonalToken, label = subjectOf(owner)) {
  const { id, ...row } = rowOfToken(token);
  return { id, owner: label, ...row };
}

const end = (withTokens: WithTokens): Command => ({
  name: 'end',
  summary: 'End a token: MCP servers refuse it within STATUS_MAX_AGE.',
  parameters: ['id'],
  run: (invocation) =>
    withTokens(invocation, async ({ tokens, audit }) => {
      const { parameters, stdout, stderr } = invocation;
      const { id = '' } = parameters;
      const found = (await tokens.all()).find(({ tokens: theirs }) => theirs.some((token) => token.id === id));
      const ended = found && (await tokens.end(found.owner, id));
      if (!ended) {
        stderr.write(`There is no token ${JSON.stringify(id)}.\n`);
        return 1;
      }
      audit(endedEntry(subjectOf(found.owner), ended, { reason: 'the operator', actor: userName() }));
      stdout.write(`Ended ${id} of ${subjectOf(found.owner)}.\n`);
      return 0;
    }),
});
