/** Proves that the list of audit events is closed in both directions, and that a security line in the log never stands alone. */
import { EVENTS } from '@mcp-oauth/shared/audit/events';
import { describe, expect, it } from 'vitest';
import { sourceFiles } from './architecture/source.ts';

const sources = sourceFiles().filter(({ path }) => path.includes('/src/') && path !== 'shared/src/audit/events.ts');

/** Written with a name that is put together. */
const BY_TEMPLATE = /^person\.(de)?activated$/;

describe('the audit events', () => {
  it.each(Object.keys(EVENTS))('the event %s is written somewhere', (event) => {
    const writers = sources.filter(({ text }) => text.includes(`'${event}'`));
    const isPutTogether = sources.some(({ text }) => BY_TEMPLATE.test(event) && text.includes('`person.$'));
    expect(isPutTogether || writers.length > 0).toBe(true);
  });

  it.each(
    sources.flatMap(({ path, text }) =>
      [...text.matchAll(/security: true|, 'security'\)/g)].map(
        ({ index }) => [path, text.slice(index, index + 700)] as const,
      ),
    ),
  )('the security line of the log in %s is followed by its entry', (_, after) => {
    expect(after).toMatch(/audit\?\.\(\{ event: '|note\(ctx, threat \? 'token\.reused'/);
  });
});
