/** Owns the frame of the pages of this server: language, direction, and the operator's brand around the content. */
import { type Html, html } from '@mcp-oauth/shared/pages/html';
import { page } from '@mcp-oauth/shared/pages/page';
import type { Brand } from '../branding/brand.ts';
import type { Language } from '../languages/language.ts';

/** What every page needs besides its content. */
export interface Look {
  readonly language: Language;
  readonly brand: Brand;
}

interface Content {
  readonly title: string;
  readonly body: Html;
  /** A page to read instead of a card with actions. */
  readonly isWide?: boolean;
}

export function framed({ language, brand }: Look, { title, body, isWide = false }: Content): string {
  return page({
    language: language.tag,
    direction: language.direction,
    title: brand.name === undefined ? title : `${title} · ${brand.name}`,
    stylesheet: brand.stylesheet,
    wide: isWide,
    body: html`${header(brand)}${body}${links(brand, language)}`,
  });
}

const header = ({ name, logo }: Brand): Html | undefined =>
  name === undefined && logo === undefined
    ? undefined
    : html`<header class="brand">${logo && html`<img src="${logo}" alt="">`}${name && html`<span><bdi>${name}</bdi></span>`}</header>`;

function links({ support, privacy }: Brand, { texts }: Language): Html | undefined {
  const links = [
    [support, texts.support],
    [privacy, texts.privacy],
  ] as const;
  const set = links.filter(([target]) => target !== undefined);
  if (set.length === 0) return undefined;
  return html`<footer class="links">${set.map(([target, text]) => html`<a rel="noreferrer" href="${target}">${text}</a> `)}</footer>`;
}
