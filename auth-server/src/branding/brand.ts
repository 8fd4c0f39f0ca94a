/** Owns what the operator's brand is for a page: a name, a logo, links, and the stylesheet with the accent colour. */
import { stylesheet } from '@mcp-oauth/shared/pages/stylesheet';
import { shadeFor } from './colour.ts';

export interface Brand {
  readonly name?: string | undefined;
  /** A data URI. */
  readonly logo?: string | undefined;
  readonly support?: string | undefined;
  readonly privacy?: string | undefined;
  readonly stylesheet: string;
}

export interface BrandSettings {
  readonly brandName?: string | undefined;
  readonly brandLogo?: string | undefined;
  readonly brandAccent?: string | undefined;
  readonly supportUrl?: string | undefined;
  readonly privacyUrl?: string | undefined;
}

/** The colours of the card and of the page around it, in the stylesheet of all pages. */
export const GROUNDS = { light: ['#ffffff', '#f4f5f7'], dark: ['#1c1f26', '#121419'] } as const;

export const brandOf = (settings: BrandSettings): Brand => ({
  name: settings.brandName,
  logo: settings.brandLogo,
  support: settings.supportUrl,
  privacy: settings.privacyUrl,
  stylesheet: settings.brandAccent === undefined ? stylesheet : stylesheet + accentRules(settings.brandAccent),
});

function accentRules(colour: string): string {
  const rule = (scheme: 'light' | 'dark') => {
    const { accent, onAccent } = shadeFor(colour, GROUNDS[scheme], scheme);
    return `:root{--accent:${accent};--on-accent:${onAccent}}`;
  };
  return `\n${rule('light')}\n@media(prefers-color-scheme:dark){${rule('dark')}}`;
}
