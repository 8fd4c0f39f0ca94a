/** Proves that the operator's brand is on the pages, can be read (WCAG 2.2 §1.4.3), and runs nothing (CSP level 3 §6.1). */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stylesheet } from '@mcp-oauth/shared/pages/stylesheet';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { GROUNDS } from '../../src/branding/brand.ts';
import { contrast, parseColour, shadeFor } from '../../src/branding/colour.ts';
import { link } from '../../src/branding/link.ts';
import { dataUriOf } from '../../src/branding/logo.ts';
import { startServer } from '../support/running-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'brand-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: string | Buffer) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

const SVG =
  '<?xml version="1.0"?>\n<!-- Acme -->\n<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
const BRAND = {
  BRAND_NAME: 'Acme <b>',
  BRAND_LOGO: file('logo.svg', SVG),
  BRAND_ACCENT: '#FFEB3B',
  SUPPORT_URL: 'mailto:help@example.com',
  PRIVACY_URL: 'https://example.com/privacy',
};

async function pageWith(env: Readonly<Record<string, string>>) {
  await using server = await startServer({ env });
  const answer = await server.fetch('/nothing', { headers: { accept: 'text/html' } });
  return { page: await answer.text(), policy: answer.headers.get('content-security-policy') ?? '' };
}

describe('the brand on the pages', () => {
  it('name, logo, colour and links are on a page, as text and as an image', async () => {
    const { page, policy } = await pageWith(BRAND);
    expect(page).toContain('<title>Nothing here · Acme &lt;b&gt;</title>');
    expect(page).toContain(`<img src="data:image/svg+xml;base64,${Buffer.from(SVG).toString('base64')}" alt="">`);
    expect(page).toContain('href="mailto:help@example.com">Help</a>');
    expect(page).toContain('href="https://example.com/privacy">Privacy</a>');
    const [, style = ''] = /<style>([\s\S]*)<\/style>/.exec(page) ?? [];
    expect(style).toContain('--on-accent:#000000');
    const hash = createHash('sha256').update(style).digest('base64');
    expect(policy).toContain(`style-src 'sha256-${hash}'; img-src data:;`);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('script-src');
  });

  it.each(['#0b7285', '0B7285'])('the colour may be written as %s', async (BRAND_ACCENT) => {
    expect((await pageWith({ BRAND_ACCENT })).page).toContain(':root{--accent:#0b7285');
  });

  it('without settings the pages are as they were', async () => {
    const { page } = await pageWith({});
    expect(page).toContain('<title>Nothing here</title>');
    expect(page).toContain(`<style>${stylesheet}</style>`);
    expect(page).not.toMatch(/<img|class="links"|class="brand"/);
  });

  it.each([
    ['BRAND_ACCENT', 'red', /BRAND_ACCENT: expected a colour such as #0b7285/],
    ['BRAND_ACCENT', '#fff;}', /BRAND_ACCENT: expected a colour/],
    ['BRAND_LOGO', join(folder, 'none.png'), /BRAND_LOGO: .*ENOENT/],
    ['BRAND_LOGO', file('page.html', '<html><svg></svg></html>'), /BRAND_LOGO: the file is not a PNG/],
    ['BRAND_LOGO', file('large.svg', SVG + ' '.repeat(65_536)), /BRAND_LOGO: .* more than 65536 bytes/],
    ['BRAND_NAME', 'x'.repeat(61), /BRAND_NAME: expected one line of at most 60/],
    ['SUPPORT_URL', 'javascript:alert(1)', /SUPPORT_URL: expected https:\/\/… or mailto:/],
    ['PRIVACY_URL', 'mailto:help@example.com', /PRIVACY_URL: expected https/],
  ])('%s=%s is refused at start', async (name, value, problem) => {
    await expect(startServer({ env: { [name]: value } })).rejects.toThrow(problem);
  });
});

describe('WCAG 2.2 §1.4.3 the accent colour', () => {
  it('each colour becomes one that can be read, on light and on dark pages, with text on it that can be read', () => {
    const colour = fc.integer({ min: 0, max: 0xffffff }).map((value) => `#${value.toString(16).padStart(6, '0')}`);
    fc.assert(
      fc.property(colour, fc.constantFrom('light' as const, 'dark' as const), (chosen, scheme) => {
        const { accent, onAccent } = shadeFor(chosen, GROUNDS[scheme], scheme);
        for (const ground of GROUNDS[scheme]) {
          expect(contrast(parseColour(accent), parseColour(ground))).toBeGreaterThanOrEqual(4.5);
        }
        expect(contrast(parseColour(accent), parseColour(onAccent))).toBeGreaterThanOrEqual(4.5);
      }),
    );
  });

  it('a colour that can be read stays as it is, and the grounds are those of the stylesheet', () => {
    expect(shadeFor('#0b7285', GROUNDS.light, 'light').accent).toBe('#0b7285');
    const [light = '', dark = ''] = stylesheet.match(/^.*--paper:.*$/gm) ?? [];
    const groundsOf = (rule: string) => [...rule.matchAll(/--(?:paper|ground):(#\w+)/g)].map(([, value = '']) => value);
    expect([groundsOf(light), groundsOf(dark)]).toEqual([['#fff', '#f4f5f7'], [...GROUNDS.dark]]);
  });
});

describe('the logo and the links', () => {
  it.each([
    ['image/png', Buffer.from('89504e470d0a1a0a', 'hex')],
    ['image/jpeg', Buffer.from('ffd8ffe0', 'hex')],
    ['image/webp', Buffer.from('RIFF\0\0\0\0WEBPVP8 ', 'latin1')],
    ['image/svg+xml', Buffer.from('\uFEFF<svg>')],
  ])('the content of a file says that it is %s', (type, content) => {
    expect(dataUriOf(content)).toBe(`data:${type};base64,${content.toString('base64')}`);
  });

  it.each(['https://a.example/x', 'mailto:a@b.example'])('%s is a link', (url) => {
    expect(link('https:', 'mailto:').parse(url)).toBe(url);
  });

  it.each(['http://a.example', 'https://', 'https://user@a.example', 'mailto:', 'data:text/html,x', ''])(
    '%j is no link',
    (url) => expect(link('https:', 'mailto:').safeParse(url).success).toBe(false),
  );
});
