/** Owns how a client is named to a person, on the sign-in page and on the account page: its name is text that a stranger chose. */
import { type Html, html } from '@mcp-oauth/shared/pages/html';
import type { Language } from '../../languages/language.ts';

export interface ShownClient {
  readonly id: string;
  /** The name that the client chose for itself: not trustworthy. */
  readonly name: string | undefined;
  /** Whether the operator configured the client, and so its name. */
  readonly byOperator?: boolean;
}

const LONGEST = 80;

/** An id that the operator chose serves as a name; a generated id means nothing to a person. */
export function clientName({ id, name, byOperator }: ShownClient): string | undefined {
  const said = (name ?? '').replace(/\s+/g, ' ').trim() || (byOperator ? id : '');
  const characters = [...said];
  if (characters.length > LONGEST) return `${characters.slice(0, LONGEST).join('').trimEnd()}…`;
  return said || undefined;
}

/** The name, or words for a client without one; `undefined`: it is not registered any more. */
export const shownName = (client: ShownClient | undefined, { texts }: Language): string =>
  client === undefined ? texts.goneClient : (clientName(client) ?? texts.namelessClient);

/** The origin of the name. */
export function originOf(client: ShownClient, { texts }: Language): Html {
  if (client.byOperator) return html`<span class="tag">${texts.known}</span> ${texts.addedByOperator}`;
  const says = clientName(client) ? texts.choseItsName : texts.gaveNoName;
  return html`<span class="tag">${texts.unverified}</span> ${says}`;
}
