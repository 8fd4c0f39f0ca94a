import { html, trusted } from '@mcp-oauth/shared/pages/html';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('html', () => {
  it('a template escapes every value, in text and in quoted attributes', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const markup = html`<a title="${text}">${text}</a>`.toString();
        expect(markup.replaceAll(/&(amp|lt|gt|quot|#39);/g, '')).toBe(
          `<a title="${text.replaceAll(/[&<>"']/g, '')}">${text.replaceAll(/[&<>"']/g, '')}</a>`,
        );
      }),
    );
  });

  it('a template keeps nested HTML, joins lists and writes nothing for false and undefined', () => {
    expect(html`<ul>${['a', '<'].map((item) => html`<li>${item}</li>`)}</ul>${false}${undefined}${0}`.toString()).toBe(
      '<ul><li>a</li><li>&lt;</li></ul>0',
    );
    expect(html`${trusted('<b>')}`.toString()).toBe('<b>');
  });
});
