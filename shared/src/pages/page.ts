/** Owns the frame of every page of the product: document, title, stylesheet. */
import { type Html, html, trusted } from './html.ts';
import { stylesheet as usual } from './stylesheet.ts';

export interface Page {
  readonly title: string;
  /** RFC 5646; absent: English. */
  readonly language?: string;
  readonly direction?: 'ltr' | 'rtl';
  readonly stylesheet?: string;
  readonly body: Html;
  /** A page to read instead of a card with actions. */
  readonly wide?: boolean;
}

/** A whole HTML document; sent with `pageHeaders` of its stylesheet. */
export function page({
  title,
  body,
  wide = false,
  language = 'en',
  direction = 'ltr',
  stylesheet = usual,
}: Page): string {
  return html`<!doctype html>
<html lang="${language}" dir="${direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${trusted(stylesheet)}</style>
</head>
<body><main${wide && trusted(' class="wide"')}>${body}</main></body>
</html>
`.toString();
}
