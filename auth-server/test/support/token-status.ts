/** Owns what a status list says of a token in a test: as it is published, and as it is stored. */
import { decode, isMarked, type StatusClaim } from '@mcp-oauth/shared/status-list/status-list';
import { decodeJwt } from 'jose';
import type { StatusStore } from '../../src/revocation/status-store.ts';

export type Reference = StatusClaim['status_list'];

/** @param token an access token, as an answer of the token endpoint has it */
export const referenceOf = (token: unknown): Reference =>
  decodeJwt<{ status: StatusClaim }>(String(token)).status.status_list;

const MOST_BYTES = 2 ** 20;

/** As a resource server reads it. */
export async function isMarkedIn(list: Response, { idx }: Reference): Promise<boolean> {
  const { status_list: content } = decodeJwt<{ status_list: { lst: string } }>(await list.text());
  return isMarked(await decode(content.lst, MOST_BYTES), idx);
}

/** Before the list is published again. */
export async function isMarkedInStore(store: StatusStore, { uri, idx }: Reference): Promise<boolean> {
  const stored = await store.marks(uri.slice(uri.lastIndexOf('/') + 1));
  if (!stored) throw new Error(`there is no list ${uri}`);
  return isMarked(stored.bits, idx);
}
