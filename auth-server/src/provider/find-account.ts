/**
 * Owns what the engine may know about a person: the subject, and whether the person may still come in. The engine calls it at
 * every sign-in, code exchange and refresh.
 */
import { type AccountClaims, errors, type FindAccount, type KoaContextWithOIDC } from 'oidc-provider';
import type { Access } from '../access/access.ts';
import type { AccessRefusal, PassThrough } from '../access/gate.ts';
import { stateOf } from '../context-state.ts';
import type { Account, Accounts } from '../federation/account.ts';
import type { Resources } from '../resources/resource.ts';
import { grantOf } from './events.ts';
import { checkGranted, type GrantSource } from './granted-resource.ts';

/** An account in the form of the engine, with what the gates found. */
interface EngineAccount {
  readonly accountId: string;
  readonly claims: () => Promise<AccountClaims>;
  readonly account: Account;
  /** Present if the person may not come in any more: their browser session is then not used. */
  readonly refusal: AccessRefusal | undefined;
  readonly [name: string]: unknown;
}

export interface FindAccountDependencies {
  readonly accounts: Accounts;
  readonly passThrough: PassThrough;
  readonly access: Pick<Access, 'permitted'>;
  readonly resources: Resources;
}

/** An unknown account is `undefined`: its refresh tokens then fail with `invalid_grant`. */
export function createFindAccount({ accounts, passThrough, access, resources }: FindAccountDependencies): FindAccount {
  return async (ctx, accountId, token): Promise<EngineAccount | undefined> => {
    const stored = await accounts.find(accountId);
    const passage = stored && (await passThrough(stored, token ? 'token' : 'session', ctx.oidc.entities.Grant?.iat));
    if (token && passage?.refusal) await refusePerson(ctx, passage.refusal, ctx.oidc.entities.Grant?.accountId);
    if (token && passage) {
      stateOf(ctx).permitted = (names, free) => access.permitted(passage.account, names, free);
    }
    // The one hook between the reading of a code or refresh token and its use.
    if (token && 'resource' in token) await checkGranted(ctx, token as GrantSource, resources);
    if (!passage) return undefined;
    const { account, refusal } = passage;
    return { accountId, claims: async () => ({ sub: accountId }), account, refusal };
  };
}

/** RFC 6749 §5.2: the client has to send the person to sign in again, where a page says why they may not. */
export async function refusePerson(
  ctx: KoaContextWithOIDC,
  { reason, description, isFinal }: AccessRefusal,
  who: string | undefined,
): Promise<never> {
  stateOf(ctx).isRefused = true;
  if (isFinal) await ctx.oidc.entities.Grant?.destroy();
  const client = ctx.oidc.client?.clientId;
  stateOf(ctx).log.warn({ reason, client }, 'person refused');
  stateOf(ctx).audit({ event: 'person.refused', outcome: 'refused', who, client, reason, grant: grantOf(ctx) });
  throw Object.assign(new errors.InvalidGrant(reason), { error_description: description });
}
