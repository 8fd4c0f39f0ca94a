/** Owns the security headers of responses: one set for APIs, one for pages. */
import { createHash } from 'node:crypto';

/**
 * No Cross-Origin-Opener-Policy: clients in a web page open the sign-in as a popup, and one answer with this header would separate
 * the popup from its opener, even after it returns to the opener's origin.
 */
const ALWAYS = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
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
