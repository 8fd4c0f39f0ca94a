/**
 * Ensures that an error which must not redirect the browser is shown on our page (RFC 9700 §4.11.2), with the answer for the client.
 * It relies on oidc-provider 9.13.3 emitting an event for an error before it reads `allow_redirect` from the error.
 */
import type Provider from 'oidc-provider';
import { type ErrorOut, errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { PreRegisteredClients } from '../../clients/pre-registered.ts';
import { answersDirectly } from '../../consent/direct-answer.ts';

/** The answer that waits for the person's click (RFC 6749 §4.1.2.1; OAuth 2.0 Form Post Response Mode §2). */
export interface HeldAnswer {
  readonly redirectUri: string;
  /** URL of the link or form. */
  readonly target: string;
  /** Fields of the form, if the client requested one. */
  readonly fields?: Readonly<Record<string, string>>;
}

const held = new WeakSet<Error>();

/** @param preRegistered the clients of the operator, whose errors are always sent to them */
export function holdErrors(provider: Provider, preRegistered: Pick<PreRegisteredClients, 'has'>): void {
  const hold = (ctx: KoaContextWithOIDC, error: Error): void => {
    if (!(error instanceof errors.OIDCProviderError) || !error.allow_redirect) return;
    const { client, entities, route } = ctx.oidc;
    const { redirect_uri: redirectUri, prompt } = parametersOf(ctx);
    if (!client || typeof redirectUri !== 'string') return;
    const isPreRegistered = preRegistered.has(client.clientId);
    const wasAsked = entities.Interaction?.result !== undefined;
    const isSilent = route === 'authorization' && prompt === 'none';
    if (answersDirectly({ redirectUri, isPreRegistered, wasAsked, isSilent })) return;
    error.allow_redirect = false;
    held.add(error);
  };
  provider.on('authorization.error', hold);
  provider.on('server_error', hold);
}

/** Whether an error is shown to the person and not sent to the client. */
export const isHeld = (error: Error): boolean => held.has(error);

/** The answer for the client of a held error; `undefined` if its redirect URI is not registered. */
export function heldAnswer(ctx: KoaContextWithOIDC, out: ErrorOut, error: Error): HeldAnswer | undefined {
  const { redirect_uri: redirectUri, response_mode: mode, response_type: type } = parametersOf(ctx);
  if (!isHeld(error) || typeof redirectUri !== 'string' || !ctx.oidc.client?.redirectUriAllowed(redirectUri)) {
    return undefined;
  }
  const fields = Object.fromEntries(
    Object.entries(out).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
  if (mode === 'form_post') return { redirectUri, target: redirectUri, fields };
  const url = new URL(redirectUri);
  // OAuth 2.0 Multiple Response Types §5: if a token was requested, the answer is in the fragment.
  if (mode === 'fragment' || String(type).includes('token')) url.hash = String(new URLSearchParams(fields));
  else for (const [name, value] of Object.entries(fields)) url.searchParams.set(name, value);
  return { redirectUri, target: url.href };
}

/** The parameters as the engine reads them, also if it has not read them yet. */
const parametersOf = (ctx: KoaContextWithOIDC): Readonly<Record<string, unknown>> => ctx.oidc.params ?? ctx.query;
