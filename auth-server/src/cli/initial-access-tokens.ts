/** Owns `initial-access-tokens`: how an operator permits the registration of clients while REGISTRATION is `token` (RFC 7591 §3). */
import { type Command, type CommandGroup, type Invocation, UsageError } from '@mcp-oauth/shared/cli/command';
import { json, showList, timeOf } from '@mcp-oauth/shared/cli/list';
import { duration, integer } from '@mcp-oauth/shared/settings/types';
import type { z } from 'zod';
import {
  createInitialAccessTokens,
  type InitialAccessToken,
  type InitialAccessTokens,
} from '../registration/initial-access-tokens.ts';
import type { OpenedStore, WithStore } from './store.ts';

interface Opened extends OpenedStore {
  readonly tokens: InitialAccessTokens;
}

type WithTokens = (invocation: Invocation, work: (opened: Opened) => Promise<number>) => Promise<number>;

const DEFAULT_LIFETIME = '7d';
const MAX_PURPOSE = 120;

export function initialAccessTokensCommands(withStore: WithStore): CommandGroup {
  const withTokens: WithTokens = ({ env }, work) =>
    withStore(env, (opened) => work({ ...opened, tokens: createInitialAccessTokens(opened.store, opened.clock) }));
  return {
    name: 'initial-access-tokens',
    summary: 'Tokens that permit the registration of clients while REGISTRATION is token.',
    commands: [add(withTokens), list(withTokens), remove(withTokens)],
  };
}

const add = (withTokens: WithTokens): Command => ({
  name: 'add',
  summary: 'Make a token and show it once.',
  details:
    'A client sends it with its registration: Authorization: Bearer <token>. A registration that is refused does not count as a use.',
  parameters: ['purpose'],
  options: {
    expires: {
      type: 'string',
      value: 'time',
      doc: `Lifetime, such as 12h or 30d. Not set: ${DEFAULT_LIFETIME}.`,
    },
    uses: {
      type: 'string',
      value: 'number',
      doc: 'Maximum number of clients that may register with it. Not set: any number.',
    },
  },
  run: (invocation) => {
    const { options, stdout, stderr } = invocation;
    const { purpose = '' } = invocation.parameters;
    if (purpose.length > MAX_PURPOSE) throw new UsageError(`<purpose> is longer than ${MAX_PURPOSE} characters`);
    const lifetime = read('expires', options.expires ?? DEFAULT_LIFETIME, duration());
    const uses = options.uses === undefined ? undefined : read('uses', options.uses, integer(1, 1_000_000));
    return withTokens(invocation, async ({ config, tokens }) => {
      const { token, id, expiresAt } = await tokens.add({ purpose, lifetime, uses });
      stdout.write(`${token}\n`);
      stderr.write(`This is token ${id}, valid until ${timeOf(expiresAt)}. It is not shown again.\n`);
      if (config.registration !== 'token') {
        stderr.write(`REGISTRATION is ${config.registration} here: this token has no effect.\n`);
      }
      return 0;
    });
  },
});

function read<T>(name: string, text: unknown, type: z.ZodType<T, string>): T {
  const parsed = type.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new UsageError(`--${name}: ${parsed.error.issues.map(({ message }) => message).join(', ')}`);
}

const list = (withTokens: WithTokens): Command => ({
  name: 'list',
  summary: 'Show the valid tokens, oldest first.',
  options: { json },
  run: (invocation) =>
    withTokens(invocation, async ({ tokens }) => {
      showList(invocation, (await tokens.list()).map(describe), 'There are no initial access tokens.');
      return 0;
    }),
});

const describe = ({ id, createdAt, expiresAt, uses, purpose }: InitialAccessToken) => ({
  id,
  created: timeOf(createdAt),
  goodUntil: timeOf(expiresAt),
  usesLeft: uses ?? null,
  purpose,
});

const remove = (withTokens: WithTokens): Command => ({
  name: 'remove',
  summary: 'Revoke a token at once. Clients that registered with it stay registered.',
  parameters: ['id'],
  run: (invocation) =>
    withTokens(invocation, async ({ tokens }) => {
      const { parameters, stdout, stderr } = invocation;
      const { id = '' } = parameters;
      const removed = await tokens.remove(id);
      if (removed) stdout.write(`Removed ${id}.\n`);
      else stderr.write(`There is no token ${JSON.stringify(id)}.\n`);
      return removed ? 0 : 1;
    }),
});
