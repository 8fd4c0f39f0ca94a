/** Owns tools of tests that act at the upstream, and a call of one by a plain request of MCP 2026-07-28. */
import { z } from 'zod';
import { createCatalog } from '../../src/protocol/catalog/catalog.ts';
import { defineResource, defineTool, ToolError } from '../../src/protocol/define.ts';
import { call, headersOf, meta } from '../support/stateless-harness.ts';
import type { Stage } from './stage.ts';

/** Sends the request that its arguments describe. */
const probe = defineTool({
  name: 'probe',
  title: 'Probe',
  description: 'Sends a request to an upstream and says what came back.',
  input: z.object({
    upstream: z.string().default('github'),
    url: z.string(),
    method: z.string().optional(),
    headers: z.record(z.string(), z.string()).optional(),
    body: z.string().optional(),
    redirect: z.enum(['follow', 'manual', 'error']).optional(),
    timeout: z.number().optional(),
    maxBytes: z.number().optional(),
    reads: z.boolean().default(true).describe('Whether to read the body'),
    counts: z.boolean().default(false).describe('Whether to say only how many bytes came'),
  }),
  run: async ({ upstream, url, reads, counts, ...init }, { fetch }) => {
    const sent = Object.fromEntries(Object.entries(init).filter(([, value]) => value !== undefined));
    const response = await fetch(upstream, url, sent);
    const body = reads ? await response.text() : '';
    return { text: counts ? `${body.length}` : `${response.status} ${response.headers.get('location') ?? ''} ${body}` };
  },
});

/** Says what it gets to know of the token, and whether it is the expected one. */
const holder = defineTool({
  name: 'holder',
  title: 'Holder',
  description: 'Gets the token of the upstream for a library of its own.',
  input: z.object({ upstream: z.string().default('github'), reject: z.boolean().default(false) }),
  run: async ({ upstream: name, reject }, { upstream }) => {
    const first = await upstream(name);
    const { token, scopes, expiresAt } = reject ? await upstream(name, { rejected: first.token }) : first;
    return { structured: { length: token.length, scopes: [...(scopes ?? [])], expires: expiresAt?.toISOString() } };
  },
});

/** Reports progress before it needs the account, so its answer has begun. */
const late = defineTool({
  name: 'late',
  title: 'Late',
  description: 'Reports progress, and then needs an account at the upstream.',
  input: z.object({}),
  run: async (_, { progress, upstream }) => {
    await progress(1, 2);
    await upstream('github');
    return { text: 'connected' };
  },
});

/** Needs the account for two things at the same time. */
const both = defineTool({
  name: 'both',
  title: 'Both',
  description: 'Sends two requests to the upstream at once.',
  input: z.object({}),
  run: async (_, { fetch }) => {
    const answers = await Promise.all([fetch('github', '/user'), fetch('github', '/user')]);
    return { text: answers.map(({ status }) => status).join() };
  },
});

/** Does without the account. */
const modest = defineTool({
  name: 'modest',
  title: 'Modest',
  description: 'Works without an account at the upstream as well.',
  input: z.object({}),
  run: async (_, { upstream }) => {
    try {
      await upstream('github');
      return { text: 'with the account' };
    } catch (error) {
      if (error instanceof ToolError) return { text: 'without the account' };
      throw error;
    }
  },
});

/** Asks again although the person has declined. */
const insistent = defineTool({
  name: 'insistent',
  title: 'Insistent',
  description: 'Asks twice for the account at the upstream.',
  input: z.object({}),
  run: async (_, { upstream }) => {
    await upstream('github').catch(() => {});
    await upstream('github');
    return { text: 'connected' };
  },
});

const idle = defineTool({
  name: 'idle',
  title: 'Idle',
  description: 'Needs no account at any upstream.',
  input: z.object({}),
  run: () => ({ text: 'done' }),
});

const page = defineResource({
  name: 'account',
  title: 'Account',
  description: 'The account of whoever reads it.',
  uri: 'account://me',
  read: async ({ fetch }) => ({ text: await (await fetch('github', '/user')).text() }),
});

export const probes = createCatalog([page, probe, holder, late, both, modest, insistent, idle]);

/** Calls a tool by one request of MCP 2026-07-28. */
export async function callTool(
  { url, token }: Stage,
  name: string,
  given: object = {},
  { subject = 'ada', capabilities = {}, more = {}, headers = {} }: CallOptions = {},
): Promise<{ status: number; challenge: string; body: Reply; sentText: string }> {
  const message = call(name, given, { _meta: meta({}, capabilities), ...more });
  const authorization = `Bearer ${await token(subject)}`;
  const response = await fetch(`${url}/mcp`, {
    method: 'POST',
    headers: { ...headersOf(message), authorization, ...headers },
    body: JSON.stringify(message),
  });
  const sentText = await response.text();
  const [, data = sentText] = /^data: (.*)$/m.exec(sentText) ?? [];
  const last = sentText.startsWith('{')
    ? sentText
    : (sentText
        .match(/^data: (.*)$/gm)
        ?.at(-1)
        ?.slice(6) ?? data);
  const challenge = response.headers.get('www-authenticate') ?? '';
  return { status: response.status, challenge, body: JSON.parse(last), sentText };
}

interface CallOptions {
  readonly subject?: string;
  readonly capabilities?: object;
  readonly more?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Reply {
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly result?: any;
}

/** The text of a tool's result. */
export const textOf = ({ result }: Reply): string => result?.content?.[0]?.text ?? '';
