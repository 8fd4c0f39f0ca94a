/**
 * Owns the frame of the pages of the operator: the brand and the stylesheet of all pages, wide, with links to its parts. They are in
 * English only, as commands, logs and reasons are: a rule that refused somebody is quoted as the operator wrote it.
 */
import { type Html, html, trusted } from '@mcp-oauth/shared/pages/html';
import type { Brand } from '../../branding/brand.ts';
import { label } from '../../federation/subject.ts';
import { english } from '../../languages/english.ts';
import { framed } from '../frame.ts';

const RULES = `
main.wide{max-width:76rem}
.wide h1{font-size:1.5rem}
nav.parts{display:flex;flex-wrap:wrap;gap:.35rem 1.25rem;margin:0 0 1.25rem}
nav.parts a[aria-current]{color:inherit;font-weight:600;text-decoration:none}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(11rem,100%),1fr));gap:1rem 1.5rem;margin:0}
.figures dd{font-weight:600}
.figures dd span{font-weight:400}
.scroll td,.scroll th{padding-inline-end:1rem}
td time{white-space:nowrap}
td.act{text-align:end;white-space:nowrap;padding-inline-end:0}
.cell{display:block;min-width:8rem;max-width:18rem;overflow-wrap:anywhere}
form.search{display:flex;flex-wrap:wrap;gap:.6rem;align-items:end;margin-bottom:1rem}
form.search label{flex:1 1 14rem;margin:0}
form.search button{width:auto;margin:0}
button.danger{background:var(--danger);border-color:var(--danger);color:var(--on-danger)}
:root{--danger:#b3261e;--on-danger:#fff}
@media(prefers-color-scheme:dark){:root{--danger:#ffb4ab;--on-danger:#3b0a06}}
`.trim();

/** The brand with the rules of these pages. */
export const brandOfAdmin = (brand: Brand): Brand => ({ ...brand, stylesheet: `${brand.stylesheet}\n${RULES}` });

export interface AdminLook {
  readonly brand: Brand;
  /** Path of the pages of the operator. */
  readonly base: string;
}

const PARTS = [
  ['', 'Overview'],
  ['/people', 'People'],
  ['/clients', 'Clients'],
  ['/grants', 'Grants'],
] as const;

export type Part = (typeof PARTS)[number][0];

interface Content {
  readonly title: string;
  /** Absent: a part of none. */
  readonly part?: Part | undefined;
  readonly body: Html;
  /** Whether it is one card instead of tables. */
  readonly isCard?: boolean;
}

export const adminPage = ({ brand, base }: AdminLook, { title, part, body, isCard = false }: Content): string =>
  framed(
    { language: english, brand },
    {
      title,
      isWide: !isCard,
      body: html`<nav class="parts" aria-label="Parts">${PARTS.map(
        ([path, text]) =>
          html`<a href="${base}${path}"${part === path && trusted(' aria-current="page"')}>${text}</a> `,
      )}</nav>
${body}`,
    },
  );

/** Text of somebody else in one line, in its own direction. */
export const foreign = (value: string | undefined, instead = '–'): Html => html`<bdi>${label(value) ?? instead}</bdi>`;

/** A moment, in UTC. */
export function moment(seconds: number | undefined): Html | string {
  if (seconds === undefined) return '–';
  const iso = new Date(seconds * 1000).toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')}</time>`;
}
