/** Owns the context of definitions that are tested alone: no client listens, and every question is declined. */
import type { Context } from '../../src/protocol/define.ts';
import { principals } from './protocol-harness.ts';

const { ada } = principals;
if (!ada) throw new Error('no principal');

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
  announce: async () => {},
  releaseConnection: async () => {},
};
