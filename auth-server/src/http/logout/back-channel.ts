/**
 * Owns the endpoint at which an upstream reports that a person signed out there (OpenID Connect Back-Channel Logout 1.0 §2.5, §2.8).
 * The token is the only credential, so anybody can call it: the body is bounded, and failures are limited by address.
 */

import { HttpError } from '@mcp-oauth/shared/errors';
import { readBounded } from '@mcp-oauth/shared/http/request/bounded-body';
import type { Context, Middleware } from 'koa';
import { stateOf } from '../../context-state.ts';
import type { LogoutToken, UpstreamLogout } from '../../federation/connector.ts';
import { logged, sanitized, toUpstreamError } from '../../federation/failure.ts';
import type { OpenConnector } from '../../federation/registry.ts';
import type { SignedOut } from '../../logout/signed-out.ts';
import type { Endings } from '../../revocation/endings.ts';
import { StoreUnavailable } from '../../storage/record-store.ts';

export interface BackChannelDependencies {
  readonly connectors: readonly OpenConnector[];
  readonly signedOut: Pick<SignedOut, 'record'>;
  readonly endings: Pick<Endings, 'end'>;
}

type ReadToken = NonNullable<UpstreamLogout['readToken']>;

const PATH = /^\/backchannel-logout\/([^/]+)\/?$/;
/** Maximum bytes: a token with the longest signature that is accepted has about 8 KiB. */
const LIMIT = 16_384;

export const backChannelLogout =
  ({ connectors, signedOut, endings }: BackChannelDependencies): Middleware =>
  async (ctx, next) => {
    const [, id] = PATH.exec(ctx.path) ?? [];
    const upstream = id === undefined ? undefined : connectors.find((connector) => connector.id === id);
    const { endsApprovals = false, readToken } = upstream?.connector.logout ?? {};
    if (!upstream || !readToken) return next();
    if (ctx.method !== 'POST') {
      throw new HttpError(405, 'invalid_request', 'Only POST is allowed here.', { headers: { Allow: 'POST' } });
    }
    const token = await read(upstream, readToken, await tokenIn(ctx));
    const end = async (accountId: string) => {
      const { requestId: reference, clientAddress: from } = stateOf(ctx);
      await endings.end({ kind: 'person', accountId }, { origin: 'logout', actor: upstream.id, reference, from });
    };
    const { approvals } = await recorded(() => signedOut.record(token, endsApprovals, end));
    stateOf(ctx).log.info(
      {
        connector: upstream.id,
        person: token.subject !== undefined,
        session: token.sid !== undefined,
        approvals,
      },
      'signed out by the upstream',
    );
    const details = { connector: upstream.id, approvals };
    stateOf(ctx).audit({ event: 'person.signed-out', outcome: 'ok', reason: 'upstream', details });
    ctx.set('Cache-Control', 'no-store');
    ctx.status = 200;
    ctx.body = '';
  };

async function tokenIn(ctx: Context): Promise<string> {
  if (ctx.is('application/x-www-form-urlencoded') === false) throw refused('the request must be a form');
  const [token, ...others] = new URLSearchParams((await readBounded(ctx, LIMIT)).toString('utf8')).getAll(
    'logout_token',
  );
  if (!token || others.length > 0) throw refused('the form must have exactly one logout_token');
  return token;
}

async function read(upstream: OpenConnector, readToken: ReadToken, token: string): Promise<LogoutToken> {
  try {
    return await readToken(token);
  } catch (thrown) {
    const failure = toUpstreamError(thrown);
    const { secrets = [] } = upstream;
    const { reason, status: upstreamStatus, ...facts } = logged(failure, [token, ...secrets]);
    const stack = thrown === failure ? undefined : sanitized(String((thrown as Error)?.stack ?? thrown), secrets);
    const details = { reason: String(reason), facts: { connector: upstream.id, ...facts, upstreamStatus, stack } };
    if (failure.reason === 'unavailable') throw failed(details);
    throw refused('the logout token is not valid', details);
  }
}

/** §2.8: a logout that failed is answered with 400 as well, whatever the cause. */
async function recorded<T>(record: () => Promise<T | undefined>): Promise<T> {
  try {
    const result = await record();
    if (result) return result;
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    throw failed({ reason: error.reason, cause: error });
  }
  throw refused('the logout token was used before');
}

type Details = ConstructorParameters<typeof HttpError>[3];

const refused = (description: string, details: Details = { reason: description }): HttpError =>
  new HttpError(400, 'invalid_request', description, details);

const failed = (details: Details): HttpError =>
  new HttpError(400, 'temporarily_unavailable', 'the logout failed, and the same request may succeed later', details);
