/**
 * Ensures that a browser session stores which session at the upstream it came from, so that a logout there ends it. It extends the
 * class `provider.Session` of oidc-provider 9.13.3: the list of stored members, and the sign-in of an account.
 */
import Provider from 'oidc-provider';

const MEMBER = 'upstreamSession';

interface SessionModel {
  readonly IN_PAYLOAD: readonly string[];
  readonly prototype: { loginAccount(details: object): void };
}

export function keepUpstreamSessions(provider: Provider): void {
  const model = provider.Session as unknown as SessionModel;
  const members = [...model.IN_PAYLOAD, MEMBER];
  Object.defineProperty(model, 'IN_PAYLOAD', { get: () => members });
  const { loginAccount } = model.prototype;
  model.prototype.loginAccount = function (details) {
    loginAccount.call(this, details);
    // The engine passes the known members of a result only; the interaction has the whole result.
    Reflect.set(this, MEMBER, Provider.ctx?.oidc.entities.Interaction?.result?.login?.[MEMBER]);
  };
}

/** @param session the stored members of a session */
export function upstreamSessionIn(session: object): string | undefined {
  const value: unknown = Reflect.get(session, MEMBER);
  return typeof value === 'string' ? value : undefined;
}
