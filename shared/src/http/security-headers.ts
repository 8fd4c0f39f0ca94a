/** Owns the response headers that keep browsers honest: one set for APIs, one for pages. */
import { createHash } from 'node:crypto';

const ALWAYS = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
} as const;

/** For JSON answers: nothing may be loaded, nothing may frame them. */
export const apiHeaders: Readonly<Record<string, string>> = {
  ...ALWAYS,
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
};

/**
 * For pages with one inline stylesheet and no script. There is no `form-action`: Chromium applies it to the redirects
 * that follow a form post, and those lead to the identity provider and to the client.
 */
export function pageHeaders(stylesheet: string): Readonly<Record<string, string>> {
  const hash = createHash('sha256').update(stylesheet).digest('base64');
  return {
    ...ALWAYS,
    'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; frame-ancestors 'none'`,
    'X-Frame-Options': 'DENY',
    'Cache-Control': 'no-store',
  };
}
