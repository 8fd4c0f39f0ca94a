/**
 * Ensures that every access token refers to a status list (Token Status List §6.2). The tokens of one grant, and those of one machine
 * client, share a reference as long as they may: only the first of them asks the store.
 */
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type { JsonObject } from '@mcp-oauth/shared/json';
import type { StatusClaim } from '@mcp-oauth/shared/status-list/status-list';
import { type Configuration, errors } from 'oidc-provider';
import { liveReferences, type StatusLists, type StatusReference } from '../../revocation/status-lists.ts';
import type { RecordStore } from '../../storage/record-store.ts';
import { addStatus, type Revoking, statusOf } from '../records/grants.ts';

interface Dependencies {
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly lists: Pick<StatusLists, 'allocate' | 'uriOf' | 'find'>;
}

/** Records with the references of machine clients (RFC 6749 §4.4), which have no grant. */
const KIND = 'MachineStatus';

/** Seconds for which a client that is removed gets no token: longer than a process may still know it. */
const REFUSED = 60;

const refusedUntil = (record: JsonObject | undefined): number => Number(record?.refusedUntil ?? 0);

/** What the engine sets before it asks for the claims of an access token. */
interface Issued {
  readonly kind: string;
  readonly clientId?: string | undefined;
  readonly grantId?: string | undefined;
  readonly expiration: number;
}

/** Ends the tokens that a client has got for itself. Its next token gets another reference; a client that is removed gets none. */
export async function revokeMachine(
  clientId: string,
  { store, marks, clock }: Revoking,
  isRemoved = false,
): Promise<void> {
  for (;;) {
    const current = (await store.get(KIND, clientId))?.value;
    if (!current && !isRemoved) return;
    const now = seconds(clock);
    await marks.mark(liveReferences(now, statusOf(current)));
    const after = { status: [], refusedUntil: isRemoved ? now + REFUSED : refusedUntil(current) };
    const written = current
      ? await store.replace(KIND, clientId, { before: current, after, ...(isRemoved && { ttl: REFUSED }) })
      : await store.putIfAbsent(KIND, clientId, after, { ttl: REFUSED });
    if (written) return;
  }
}

export function referToStatus({ store, clock, lists }: Dependencies): NonNullable<Configuration['extraTokenClaims']> {
  const ofGrant = async (id: string, grant: object | undefined, exp: number): Promise<StatusReference> =>
    lists.find(statusOf(grant), exp) ?? addStatus(id, lists.allocate, { store, clock });

  const ofMachine = async (clientId: string, exp: number): Promise<StatusReference> => {
    for (;;) {
      const current = (await store.get(KIND, clientId))?.value;
      if (refusedUntil(current) > seconds(clock)) throw new errors.InvalidClientAuth('the client is being removed');
      const kept = statusOf(current);
      const known = lists.find(kept, exp);
      if (known) return known;
      const now = seconds(clock);
      const reference = await lists.allocate();
      const after = { status: liveReferences(now, kept, [reference]) };
      const ttl = reference.until - now;
      const written = current
        ? await store.replace(KIND, clientId, { before: current, after, ttl })
        : await store.putIfAbsent(KIND, clientId, after, { ttl });
      if (written) return reference;
    }
  };

  return async (ctx, token) => {
    const { kind, clientId = '', grantId, expiration } = token as Issued;
    const exp = seconds(clock) + expiration;
    const { list, idx } =
      kind === 'AccessToken' && grantId !== undefined
        ? await ofGrant(grantId, ctx.oidc.entities.Grant, exp)
        : await ofMachine(clientId, exp);
    const status: StatusClaim = { status_list: { idx, uri: lists.uriOf(list) } };
    return { status };
  };
}
