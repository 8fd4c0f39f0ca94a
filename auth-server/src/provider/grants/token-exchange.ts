/**
 * Owns the token exchange grant (RFC 8693) at the token endpoint: a client of the operator that proves its key gives an access token
 * of a person and gets another one, if the policy says so. What the grant decides is in auth-server/src/exchange.
 */
import type { Clock } from '@mcp-oauth/shared/clock';
import { HttpError } from '@mcp-oauth/shared/errors';
import type Provider from 'oidc-provider';
import { type Client, errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { PassThrough } from '../../access/gate.ts';
import { EXCHANGE_GRANT } from '../../clients/client.ts';
import { stateOf } from '../../context-state.ts';
import { actorsOf } from '../../exchange/actors.ts';
import { type ExchangePolicy, permissionFor } from '../../exchange/policy.ts';
import { badSubject, badTarget, ExchangeRefused } from '../../exchange/refusal.ts';
import { PARAMETERS, REPEATED, readRequest } from '../../exchange/request.ts';
import { createSubjectReader, type Subject } from '../../exchange/subject-token.ts';
import type { Account, Accounts } from '../../federation/account.ts';
import type { Keys } from '../../keys/key-store.ts';
import type { Resources } from '../../resources/resource.ts';
import { upstreamScopeName } from '../../resources/upstream-scope.ts';
import type { StatusLists } from '../../revocation/status-lists.ts';
import type { EngineCounts } from '../events.ts';
import { refusePerson } from '../find-account.ts';
import { type ChainDependencies, issueChained } from './chained-token.ts';
import { giveUpstreamToken, type UpstreamOptions } from './upstream-token.ts';

export interface ExchangeOptions {
  readonly policy: ExchangePolicy;
  /** Absent: no connector is for tools. */
  readonly upstream: UpstreamOptions | undefined;
}

interface Dependencies extends ChainDependencies {
  readonly issuer: string;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly resources: Resources;
  readonly statusLists: Pick<StatusLists, 'isEnded'>;
  readonly accounts: Pick<Accounts, 'find'>;
  readonly passThrough: PassThrough;
  /** Absent: nothing is counted. */
  readonly onExchange?: EngineCounts['onExchange'] | undefined;
}

/** Adds the grant to the engine, which then names it in its metadata. */
export function offerExchange(provider: Provider, options: ExchangeOptions, dependencies: Dependencies): void {
  const { policy, upstream } = options;
  const { issuer, keys, clock, resources, onExchange } = dependencies;
  const readSubject = createSubjectReader({ issuer, keys: keys.signing, clock });

  /** @param reached called as soon as the policy is known to name the target */
  async function exchange(ctx: KoaContextWithOIDC, client: Client, reached: (target: string) => void): Promise<void> {
    const asked = readRequest(ctx.oidc.params ?? {});
    const { target, scope } = asked;
    note(ctx, { target: `${target.kind} ${target.id}` });
    const subject = await readSubject(asked.subjectToken);
    note(ctx, { subjectClient: subject.clientId });
    const permission = permissionFor(policy, { client: client.clientId, subject, target, scope }, resources);
    reached(permission.kind === 'connector' ? permission.connector : 'resource');
    note(ctx, { actors: actorsOf(permission.actor) });
    const account = await personOf(ctx, subject, dependencies);
    if (permission.kind === 'resource') {
      await issueChained(ctx, { client, subject, account, permission }, dependencies);
      return;
    }
    const { connector } = permission;
    if (!upstream) throw badTarget(`the connector ${connector} is not for tools`);
    refuseByRule(account, connector, dependencies);
    await giveUpstreamToken(ctx, { ...asked, connector, subject }, { ...upstream, clock });
  }

  provider.registerGrantType(
    EXCHANGE_GRANT,
    async (ctx) => {
      const { client } = ctx.oidc;
      // CLIENTS is held to the same. A secret can be in a log, and a public client is anybody.
      if (client.clientAuthMethod !== 'private_key_jwt') {
        throw new errors.UnauthorizedClient('token exchange is for clients that authenticate with private_key_jwt');
      }
      stateOf(ctx).hasProvedKey = true;
      note(ctx, {});
      let target = 'none';
      try {
        await exchange(ctx, client, (reached) => {
          target = reached;
        });
      } catch (error) {
        onExchange?.(target, codeOf(error));
        if (error instanceof HttpError) noteFailure(ctx, client, error);
        throw error instanceof ExchangeRefused ? answerOf(error) : error;
      }
      onExchange?.(target, 'issued');
    },
    PARAMETERS,
    REPEATED,
  );
}

/** The person of a token, who must still be somebody to whom a token would be issued now. */
async function personOf(ctx: KoaContextWithOIDC, subject: Subject, dependencies: Dependencies): Promise<Account> {
  const { statusLists, accounts, passThrough } = dependencies;
  const [hasEnded, stored] = await Promise.all([statusLists.isEnded(subject.status), accounts.find(subject.accountId)]);
  if (hasEnded) throw badSubject('its approval has ended');
  if (!stored) throw badSubject('its person is not known');
  ctx.oidc.entity('Account', { accountId: stored.accountId } as never);
  // Without the time of the approval: what a logout has ended is marked in the status list.
  const { account, refusal } = await passThrough(stored, 'token');
  if (refusal) await refusePerson(ctx, refusal, stored.accountId);
  return account;
}

const NONE: ReadonlySet<string> = new Set();

/** The rules for scopes hold however the person allows the account: on the sign-in page or at a link. */
function refuseByRule(account: Account, connector: string, { access }: Pick<Dependencies, 'access'>): void {
  const name = upstreamScopeName(connector);
  if (access.permitted(account, [name], NONE).length > 0) return;
  const description = 'the rules of this server do not let the user have this account with tools';
  throw new ExchangeRefused('invalid_grant', description, `no rule for scopes gives the person ${name}`);
}

function note(ctx: KoaContextWithOIDC, details: NonNullable<ReturnType<typeof stateOf>['details']>): void {
  const state = stateOf(ctx);
  state.details = { ...state.details, ...details };
}

/** The engine emits no event for an error with its own answer, such as an upstream that is down. */
function noteFailure(ctx: KoaContextWithOIDC, { clientId: client }: Client, { reason }: HttpError): void {
  const { audit, details = {} } = stateOf(ctx);
  const who = ctx.oidc.entities.Account?.accountId;
  audit({ event: 'exchange.refused', outcome: 'failed', who, client, reason, details });
}

const codeOf = (error: unknown): string =>
  error instanceof HttpError ? error.code : String((error as { readonly error?: unknown }).error ?? 'other');

function answerOf({ error, description, message }: ExchangeRefused): errors.OIDCProviderError {
  const detail = message === description ? undefined : { detail: message };
  return new errors.CustomOIDCProviderError(error, description, detail);
}
