/**
 * Owns how device codes are stored: as SHA-256 only, like every bearer secret. The page finds a record by its user code and so never
 * learns the device code; a handle stands for it there, and the token endpoint accepts no handle. A record changes in two steps,
 * each taken once: a person confirms the code, and then approves or denies (RFC 8628 §3.3). A device that loses the answer polls again
 * (§3.5), so a code that was answered stays valid for the grace period, and leads to the same refresh token.
 */
import { hash } from 'node:crypto';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type { JsonObject } from '@mcp-oauth/shared/json';
import Provider, { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import { said } from '../../languages/language.ts';
import { PageError } from '../../languages/page-error.ts';
import type { RecordStore, StoredRecord } from '../../storage/record-store.ts';
import type { Limit } from './polling.ts';

const MODEL = 'DeviceCode';
/** No device code contains a colon. */
const HANDLE = 'sha256:';

/** Seconds that an expired code is kept, so that its device gets `expired_token` (RFC 8628 §3.5) and not `invalid_grant`. */
const KEPT = 60;

export const USED_AT_ONCE = 'the user code was used by another request at the same time';

const isHandle = (id: string): boolean => id.startsWith(HANDLE);
const keyOf = (id: string): string => (isHandle(id) ? id.slice(HANDLE.length) : hash('sha256', id, 'base64url'));

/** Seconds in which a second poll is one of the same device, even without a grace period: it is refused and does not end the grant. */
const SAME_MOMENT = 5;

export interface DeviceCodeOptions {
  readonly clock: Clock;
  /** Seconds in which a code that was answered is answered again; 0: never. */
  readonly grace: number;
  /** Counts the codes of one client. */
  readonly openCodes: Limit;
}

export function deviceCodeAdapter(store: RecordStore, { clock, grace, openCodes }: DeviceCodeOptions): Adapter {
  const isWithin = (time: number, { consumedAt }: StoredRecord): boolean =>
    consumedAt !== undefined && seconds(clock) - consumedAt <= time;
  const find = async (id: string) => {
    // Whoever reads the store learns handles, and must not be able to poll with them.
    if (isHandle(id) && Provider.ctx?.oidc.route === 'token') return undefined;
    const record = await store.get(MODEL, keyOf(id));
    // The engine ends the grant of a code that it sees as consumed.
    const isHidden = record && isWithin(Math.max(grace, SAME_MOMENT), record);
    return payloadOf(isHidden ? { value: record.value } : record, id);
  };
  return {
    find,
    findByUserCode: async (code) => payloadOf(await store.getByAlias(MODEL, code)),
    findByUid: async () => undefined,
    upsert: async (id, { jti, ...payload }, ttl = 0) => {
      const key = keyOf(id);
      const value = { ...payload, handle: HANDLE + key };
      if (isHandle(id)) return change(store, key, value);
      await refuseTooMany(openCodes, String(payload.clientId));
      const alias = String(payload.userCode);
      // The record of a person who is about to enter this code must not be replaced.
      if (await store.getByAlias(MODEL, alias)) throw tryAgain();
      await store.put(MODEL, key, value, { ttl: ttl + KEPT, alias });
    },
    consume: async (id) => {
      const key = keyOf(id);
      if (await store.consume(MODEL, key)) return;
      const record = grace > 0 ? await store.get(MODEL, key) : undefined;
      if (record && isWithin(grace, record)) return;
      throw new errors.InvalidGrant('the device code was consumed by another request at the same time');
    },
    destroy: (id) => store.delete(MODEL, keyOf(id)),
    // Not needed: the engine destroys the grant as well, and reads it at each use of its tokens.
    revokeByGrantId: async () => {},
  };
}

function payloadOf(record: StoredRecord | undefined, id?: string): AdapterPayload | undefined {
  if (!record) return undefined;
  const { handle, ...payload } = record.value;
  const { consumedAt: consumed } = record;
  return { ...payload, jti: id ?? String(handle), ...(consumed !== undefined && { consumed }) };
}

async function refuseTooMany(openCodes: Limit, client: string): Promise<void> {
  const wait = await openCodes.take(client);
  if (wait === 0) return;
  throw new PageError(429, 'too_many_requests', said('tooManyRequests'), {
    reason: 'limit of the client',
    headers: { 'Retry-After': String(wait) },
  });
}

const tryAgain = (): PageError =>
  new PageError(503, 'temporarily_unavailable', said('wentWrong'), {
    reason: 'the new user code is one that is open',
    headers: { 'Retry-After': '1' },
  });

const isDecided = ({ accountId, error }: JsonObject): boolean => accountId !== undefined || error !== undefined;

/** Of concurrent changes exactly one is written, so that nobody approves what somebody else confirmed, denied or approved. */
async function change(store: RecordStore, key: string, after: JsonObject): Promise<void> {
  const record = await store.get(MODEL, key);
  const before = record?.value;
  const isOpen = before && record.consumedAt === undefined && !isDecided(before);
  const isNext = isOpen && (!before.inFlight || isDecided(after));
  if (isNext && (await store.replace(MODEL, key, { before, after }))) return;
  throw new errors.InvalidRequest(USED_AT_ONCE);
}
