/**
 * Owns the check of a status list that was received (draft-ietf-oauth-status-list §5.1, §8.3): signed by its issuer, about this URI, not
 * expired, and small enough.
 */
import type { Clock } from '@mcp-oauth/shared/clock';
import {
  type ReadStatusList,
  readStatusList,
  STATUS_LIST_TYPE,
  STATUS_WIDTHS,
} from '@mcp-oauth/shared/status-list/status-list';
import { decodeProtectedHeader } from 'jose';
import { z } from 'zod';
import type { KeySource } from '../issuer/key-source.ts';
import type { TokenRules } from '../token/rules.ts';
import { verifiedBy } from '../token/verified-by.ts';

export interface ListDocument extends ReadStatusList {
  /** Seconds since the epoch, as is `expiresAt`. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** The id of the key that signed it. */
  readonly kid: string | undefined;
}

export interface ListIssuer {
  readonly rules: Pick<TokenRules, 'issuer' | 'algorithms' | 'clockTolerance' | 'sharesKeys'>;
  readonly keySource: Pick<KeySource, 'candidates' | 'reload'>;
}

interface Context extends ListIssuer {
  readonly uri: string;
  readonly clock: Clock;
  /** The key that signed the copy held; absent: there is no copy. */
  readonly formerKid: string | undefined;
}

/** Bytes of a list as it is after inflation: eight million entries of one bit. */
const MOST_BYTES = 1 << 20;

const content = z.object({
  iss: z.string().optional(),
  sub: z.string(),
  iat: z.number(),
  exp: z.number().optional(),
  status_list: z.object({ bits: z.literal(STATUS_WIDTHS), lst: z.string().min(1) }),
});

/** @throws Error that says what is wrong with it */
export async function openList(
  jwt: string,
  { rules, keySource, uri, clock, formerKid }: Context,
): Promise<ListDocument> {
  const { typ, alg, kid } = decodeProtectedHeader(jwt);
  if (typ?.toLowerCase().replace(/^application\//, '') !== STATUS_LIST_TYPE) throw new Error(`its typ is ${typ}`);
  if (alg === undefined || !rules.algorithms.includes(alg)) throw new Error(`its alg is ${alg}`);
  // An issuer that ends a key signs its lists by another one at once, and the tokens of the former must not live on.
  if (formerKid !== undefined && kid !== formerKid) await keySource.reload();
  const tenant = rules.sharesKeys ? rules.issuer : undefined;
  const now = clock.now() / 1000;
  const claims = await verifiedBy(jwt, keySource.candidates({ alg, kid, tenant }, 'at once'), {
    algorithms: [...rules.algorithms],
    clockTolerance: rules.clockTolerance,
    currentDate: new Date(clock.now()),
  });
  const { iss = rules.issuer, sub, iat, exp = Number.POSITIVE_INFINITY, status_list: list } = readContent(claims);
  if (iss !== rules.issuer) throw new Error(`its iss is ${iss}`);
  if (sub !== uri) throw new Error(`its sub is ${sub}`);
  if (iat > now + rules.clockTolerance) throw new Error('its iat is in the future');
  return { ...(await readStatusList(list, MOST_BYTES)), issuedAt: iat, expiresAt: exp, kid };
}

function readContent(claims: unknown): z.infer<typeof content> {
  const { success, data, error } = content.safeParse(claims);
  if (success) return data;
  throw new Error(error.issues.map(({ path, message }) => [...path, message].join(': ')).join(', '));
}

/** A document with the marks of another one in addition. */
export function withMarksOf(document: ListDocument, { bits, entries }: ListDocument): ListDocument {
  const [longer, shorter] = document.bits.length >= bits.length ? [document.bits, bits] : [bits, document.bits];
  const both = Uint8Array.from(longer);
  for (let index = 0; index < shorter.length; index += 1) both[index] = (both[index] ?? 0) | (shorter[index] ?? 0);
  return { ...document, bits: both, entries: Math.max(entries, document.entries) };
}
