/**
 * Owns what a token status list says of a token (draft-ietf-oauth-status-list §8.3). It is read from where the token says, which only
 * shows what the server would see: nothing is decided by it.
 */
import {
  isMarked,
  readStatusList,
  STATUS_LIST_MEDIA_TYPE,
  STATUS_WIDTHS,
} from '@mcp-oauth/shared/status-list/status-list';
import { foreignText } from '../foreign-text.ts';
import type { Ask } from '../network/ask.ts';
import type { Document } from '../step.ts';
import { webUrl } from '../steps/document.ts';
import { asDocument, objectIn } from './message.ts';

export interface ListedStatus {
  readonly state: 'good' | 'marked' | 'unreadable';
  /** The entry, or why it could not be read. */
  readonly says: string;
}

/** Bytes of a list after inflation. */
const MOST_BYTES = 1 << 20;

/**
 * @param isSigned whether a text is signed by a key of the issuer; `undefined` if its keys are not known
 * @returns nothing for a token that refers to no list
 */
export async function listedStatus(
  claims: Document,
  ask: Ask,
  isSigned: (jwt: string) => Promise<boolean | undefined>,
): Promise<ListedStatus | undefined> {
  const list = asDocument(asDocument(claims.status)?.status_list);
  if (!list) return undefined;
  const [url, { idx }] = [webUrl(list.uri), list];
  if (!url || typeof idx !== 'number') return { state: 'unreadable', says: 'it names no list and index' };
  const place = `${foreignText(url.href)}`;
  const answer = await ask({ url, headers: { accept: STATUS_LIST_MEDIA_TYPE } });
  if (answer.status !== 200 || answer.cut)
    return { state: 'unreadable', says: `${place} answered ${answer.failure ?? answer.status}` };
  const jwt = answer.body.trim();
  const content = objectIn(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString());
  const said = asDocument(content?.status_list);
  const width = STATUS_WIDTHS.find((bits) => bits === said?.bits);
  if (content?.sub !== list.uri || typeof said?.lst !== 'string' || !width)
    return { state: 'unreadable', says: `${place} is no list about itself, with 1, 2, 4 or 8 bits for each token` };
  if ((await isSigned(jwt)) === false)
    return { state: 'unreadable', says: `${place} is signed by no key of the authorization server` };
  const read = await readStatusList({ bits: width, lst: said.lst }, MOST_BYTES).catch(() => undefined);
  if (!read || !Number.isInteger(idx) || idx < 0 || idx >= read.entries)
    return { state: 'unreadable', says: `${place} has no entry ${foreignText(String(idx))}` };
  return { state: isMarked(read.bits, idx) ? 'marked' : 'good', says: `entry ${idx} of ${place}` };
}
