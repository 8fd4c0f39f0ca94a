import { html, trusted } from '@mcp-oauth/shared/pages/html';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('html', () => {
  it('escapes whatever it is given, as text and in quoted attributes', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const markup = html`<a title="${text}">${text}</a>`.toString();
        expect(markup.replaceAll(/&(amp|lt|gt|quot|#39);/g, '')).toBe(
          `<a title="${text.replaceAll(/[&<>"']/g, '')}">${text.replaceAll(/[&<>"']/g, '')}</a>`,
        );
      }),
    );
  });

  it('keeps HTML as it is, joins lists and leaves nothing out of nothing', () => {
    expect(html`<ul>${['a', '<'].map((item) => html`<li>${item}</li>`)}</ul>${false}${undefined}${0}`.toString()).toBe(
      '<ul><li>a</li><li>&lt;</li></ul>0',
    );
    expect(html`${trusted('<b>')}`.toString()).toBe('<b>');
  });
});
