/** Owns when a person is asked: the engine's own rules (OpenID Connect Core §3.1.2.1), and one case that they leave out. */
import { interactionPolicy } from 'oidc-provider';

export function createInteractionPolicy(): interactionPolicy.DefaultPolicy {
  const policy = interactionPolicy.base();
  policy.get('login')?.checks.add(
    new interactionPolicy.Check(
      'account_gone',
      'the account of the session is no longer known',
      'login_required',
      // A session may outlive what is remembered of its account; without one the engine has nobody to grant anything to.
      (ctx) => ctx.oidc.session?.accountId !== undefined && ctx.oidc.account === undefined,
    ),
  );
  return policy;
}
