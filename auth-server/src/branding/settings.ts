/** Owns the settings for the operator's brand on the pages: name, logo, colour and links. Without them the pages are neutral. */
import { optional } from '@mcp-oauth/shared/settings/config';
import { accentColour } from './colour.ts';
import { link } from './link.ts';
import { logo } from './logo.ts';
import { brandName } from './name.ts';

export const brandSettings = {
  brandName: optional({
    env: 'BRAND_NAME',
    doc: 'Your name, at the top of each page and in its title.',
    type: brandName(),
    example: 'Acme',
  }),
  brandLogo: optional({
    env: 'BRAND_LOGO',
    doc: 'A file with your logo, at the top of each page: PNG, JPEG, WebP or SVG, at most 64 KiB. It is read at start and sent inside the page, and an SVG can neither run scripts nor load anything.',
    type: logo(),
    example: '/etc/mcp/logo.svg',
  }),
  brandAccent: optional({
    env: 'BRAND_ACCENT',
    doc: 'The colour of buttons and links, `#rrggbb` or `rrggbb`. In an env file `#` needs quotes. Where it would be hard to read, the pages use a lighter or darker shade of it (WCAG 2.2 §1.4.3), and black or white text on buttons.',
    type: accentColour(),
    example: '#0b7285',
  }),
  supportUrl: optional({
    env: 'SUPPORT_URL',
    doc: 'Whom people may ask: an https or mailto URL, linked at the bottom of each page.',
    type: link('https:', 'mailto:'),
    example: 'mailto:help@example.com',
  }),
  privacyUrl: optional({
    env: 'PRIVACY_URL',
    doc: 'Your privacy policy: an https URL, linked at the bottom of each page.',
    type: link('https:'),
    example: 'https://example.com/privacy',
  }),
};
