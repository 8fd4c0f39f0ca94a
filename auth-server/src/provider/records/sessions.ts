/**
 * Ensures that a browser session is not found once its person signed out at the upstream (OpenID Connect Back-Channel Logout 1.0
 * §2.7). It is deleted when it is looked for: a session that stays in use would otherwise outlive the record of the logout.
 */
import type { Adapter, AdapterPayload } from 'oidc-provider';
import type { SignedOut } from '../../logout/signed-out.ts';
import { upstreamSessionIn } from '../overrides/upstream-sessions.ts';

/** @param records the adapter for all operations */
export function createSessionAdapter(records: Adapter, signedOut: Pick<SignedOut, 'includes'>): Adapter {
  const unlessEnded = async (found: unknown): Promise<AdapterPayload | undefined> => {
    const session = found as AdapterPayload | undefined;
    if (typeof session?.accountId !== 'string') return session;
    const { accountId, loginTs = 0, jti } = session;
    const isOver = await signedOut.includes({ accountId, since: loginTs, upstreamSession: upstreamSessionIn(session) });
    if (!isOver) return session;
    if (jti !== undefined) await records.destroy(jti);
    return undefined;
  };
  return {
    ...records,
    find: async (id) => unlessEnded(await records.find(id)),
    findByUid: async (uid) => unlessEnded(await records.findByUid(uid)),
  };
}
