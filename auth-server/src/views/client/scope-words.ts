/** Owns the words for a scope, on the sign-in page and on the account page. */
import { SCOPES } from '@mcp-oauth/shared/contract';
import { type Html, html } from '@mcp-oauth/shared/pages/html';
import { fill, type Language } from '../../languages/language.ts';
import type { UpstreamScope } from '../../resources/upstream-scope.ts';

export interface ShownScope {
  readonly name: string;
  readonly description: string;
  /** The account of the person that tools may use with it. */
  readonly upstream?: Pick<UpstreamScope, 'provider'> | undefined;
}

/** A scope without a description is shown by its name. */
export function scopeWords({ name, description, upstream }: ShownScope, language: Language): Html {
  if (upstream) return fill(language, 'scopeOfUpstream', { provider: html`<bdi>${upstream.provider}</bdi>` });
  return description && description !== name
    ? html`${ownDescription(name, description, language) ?? description}`
    : fill(language, 'permission', { name: html`<code>${name}</code>` });
}

/** The scopes that we describe ourselves. */
const OURS = {
  'mcp:tools': 'scopeTools',
  'mcp:admin': 'scopeStatus',
} as const satisfies Readonly<Record<keyof typeof SCOPES, keyof Language['texts']>>;

/** Our own description of a scope in the language of the page; `undefined` for a description of somebody else. */
function ownDescription(name: string, description: string, { texts }: Language): string | undefined {
  const ours = (Object.keys(OURS) as (keyof typeof OURS)[]).find((scope) => scope === name);
  return ours && description === SCOPES[ours] ? texts[OURS[ours]] : undefined;
}
