/**
 * Owns the way of a person to the upstream where they connect an account for tools. The state that waits for the answer is of a kind
 * of its own: it signs nobody in, and that of a sign-in connects nothing.
 */
import type { Context } from 'koa';
import { scopesToAsk } from '../../connecting/missing.ts';
import { flowOf } from '../../consent/interaction.ts';
import { stateOf } from '../../context-state.ts';
import type { LoginChecks } from '../../federation/connector.ts';
import type { LoginOfConnection, Logins } from '../../federation/login.ts';
import type { OpenTools } from '../../federation/registry.ts';
import type { Connections } from '../../vault/connections/connections.ts';
import type { LoginCookie } from '../sign-in/login-cookie.ts';
import { seeOther } from '../sign-in/redirect.ts';
import { type Failed, upstreamFailed } from '../sign-in/upstream-failure.ts';

export interface DepartDependencies {
  readonly tools: readonly OpenTools[];
  readonly connections: Pick<Connections, 'find'>;
  readonly logins: Pick<Logins, 'createChecks' | 'start'>;
  readonly loginCookie: Pick<LoginCookie, 'set'>;
}

interface Departure {
  readonly checks: LoginChecks;
  readonly login: LoginOfConnection;
  readonly target: URL;
}

/** Asks the connector for the URL of the upstream. Nothing is stored, so nothing is left if the upstream is down. */
export async function prepare(
  ctx: Context,
  connection: LoginOfConnection['connection'],
  upstream: OpenTools,
  { connections, logins }: DepartDependencies,
): Promise<Departure | Failed> {
  const { accountId } = connection;
  const scopes = scopesToAsk(
    upstream,
    connection.scopes,
    await connections.find({ connector: upstream.id, accountId }),
  );
  const checks = logins.createChecks();
  try {
    const target = new URL(await upstream.access.begin(checks, { scopes }));
    return { checks, target, login: { connector: upstream.id, connection: { ...connection, scopes } } };
  } catch (error) {
    return upstreamFailed(ctx, { upstream, checks }, error);
  }
}

export async function depart(
  ctx: Context,
  { checks, login, target }: Departure,
  { logins, loginCookie }: DepartDependencies,
): Promise<void> {
  await logins.start(checks, login);
  loginCookie.set(ctx, checks.state);
  stateOf(ctx).flow = flowOf(login.connection.interaction ?? checks.state);
  seeOther(ctx, target.href);
}
