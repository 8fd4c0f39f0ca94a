/** Owns the context of definitions that are tested alone: no client listens, and every question is declined. */
import type { Context } from '../../src/protocol/define.ts';
import { principals } from './protocol-harness.ts';

const { ada } = principals;
if (!ada) throw new Error('no principal');

/** What GitHub answers, by path. */
const GITHUB: Readonly<Record<string, unknown>> = {
  '/user': { login: 'ada', name: 'Ada Lovelace', html_url: 'https://github.com/ada', company: null, public_repos: 2 },
  '/user/repos': [
    { full_name: 'ada/engine', html_url: 'https://github.com/ada/engine', private: false, description: 'Analytical' },
    { full_name: 'ada/notes', html_url: 'https://github.com/ada/notes', private: true, description: null },
  ],
};

export const testContext: Context = {
  principal: ada,
  now: () => new Date('2026-01-01T00:00:30Z'),
  server: async () => ({
    name: 's',
    version: '1',
    startedAt: new Date('2026-01-01T00:00:00Z'),
    revisions: ['x'],
    openSessions: 2,
  }),
  signal: new AbortController().signal,
  progress: async () => {},
  log: async () => {},
  elicit: async () => ({ action: 'decline' }),
  sample: async () => ({ model: 'm', role: 'assistant', content: { type: 'text', text: '' } }),
  roots: async () => [],
  upstream: async () => ({ token: 'the token of ada', scopes: [], expiresAt: undefined }),
  fetch: async (_, url) => Response.json(GITHUB[new URL(url, 'https://api.github.com').pathname] ?? null),
  announce: async () => {},
  releaseConnection: async () => {},
};
