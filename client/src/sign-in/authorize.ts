/** Owns a sign-in from the URL of an MCP server to tokens for it, in the browser or with a code on another device. */
import { UsageError } from '@mcp-oauth/shared/cli/command';
import type { Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import { computeScopeUnion } from '@modelcontextprotocol/client';
import { requireReach, withinReach } from '../reach.ts';
import { signInByBrowser } from './by-browser.ts';
import { signInByCredentials } from './by-credentials.ts';
import { DEVICE_GRANT, signInByDevice } from './by-device.ts';
import { clientFor, type Registered } from './client/registration.ts';
import { type ReadSecret, type SecretPlace, spellingsOf } from './client/secret.ts';
import { findAuthority, scopeOf } from './discover.ts';
import { clientOf as authenticated, type Grant } from './grant.ts';
import { soon } from './renew.ts';

export interface Wish {
  /** The name that the authorization server shows to the person. */
  readonly name: string;
  readonly device: boolean;
  /** Whether the client signs in as itself, without a person. */
  readonly machine?: boolean | undefined;
  /** Whether the browser of this machine is opened. */
  readonly browser: boolean;
  /** The port of the redirect URI, for an authorization server that knows one port only. */
  readonly port?: number | undefined;
  readonly clientId?: string | undefined;
  /** One of the issuers that the server names; absent: the first. */
  readonly issuer?: string | undefined;
  /** Where the secret or key of `clientId` is read; absent for a public client. */
  readonly secret?: SecretPlace | undefined;
  /** Scopes besides those that the server asks for. */
  readonly scope?: string | undefined;
  /** The last sign-in at this server: its scopes and its client are used again. */
  readonly last?: Grant | undefined;
  /** Tells the person what to do. */
  readonly say: (line: string) => void;
  /** Keeps texts from being shown. */
  readonly hide: (secrets: readonly string[]) => void;
  /** Shows the URL with the code to a camera as well (RFC 8628 §3.3.1). */
  readonly draw?: ((url: URL) => void) | undefined;
}

export interface SignInDependencies {
  readonly fetch: Fetch;
  readonly openBrowser: (url: URL) => void;
  readonly now: () => number;
  readonly wait: (milliseconds: number) => Promise<void>;
  /** @throws StartError if it can't be read */
  readonly secret: ReadSecret;
}

/** Never a loopback port that is open: an issuer may demand a redirect URI even of a client that has no use for it. */
const NO_REDIRECT = 'http://127.0.0.1/callback';

const FOR_A_PERSON = 'To sign in as a person: login --no-browser, login --device, or logout before login';

/** Whether an option is only for a sign-in of a person. */
const asksForPerson = ({ device, browser, port }: Wish): boolean => device || !browser || port !== undefined;

export async function authorize(url: URL, wish: Wish, dependencies: SignInDependencies): Promise<Grant> {
  const { openBrowser, now, wait } = dependencies;
  const fetch = soon(withinReach(dependencies.fetch, url));
  const { name, device, browser, port, clientId, say, draw } = wish;
  const authority = await findAuthority(url, fetch, wish.issuer);
  const { server, issuer, resource } = authority;
  const last = wish.last?.issuer === issuer ? wish.last : undefined;
  // The client and scopes of a machine sign-in are not used for the sign-in of a person.
  const byPerson = last?.machine ? undefined : last;
  const scope = scopeOf(authority, byPerson?.tokens.scope, wish.scope);
  const secretOf = ({ client_id: id }: Registered) =>
    wish.secret ?? (id === last?.client.client_id ? last.secret : undefined);
  const clientOf = async (redirectUrl: string, grantType: string) => {
    const wanted = { name, redirectUrl, grantType, scope, clientId, known: byPerson?.client };
    const client = await clientFor(authority, wanted, fetch);
    if (client.client_secret) wish.hide(spellingsOf(client.client_id, client.client_secret));
    return authenticated({ client, secret: secretOf(client) }, dependencies.secret);
  };
  const grantOf = ({ client, tokens }: Pick<Grant, 'client' | 'tokens'>): Grant => {
    const secret = secretOf(client);
    const { client_secret: _, client_key: __, ...named } = client;
    return { server, issuer, resource, ...(secret ? { client: named, secret } : { client }), tokens };
  };
  const again =
    last?.machine === true && !asksForPerson(wish) && (clientId ?? last.client.client_id) === last.client.client_id;
  if (wish.machine ?? again) {
    if (!wish.machine)
      say(`client: ${last?.client.client_id} signs in as itself, as at the last sign-in. ${FOR_A_PERSON}`);
    const id = clientId ?? last?.client.client_id;
    const client = id === undefined ? undefined : { client_id: id };
    const place = client && secretOf(client);
    if (!client || !place) throw new UsageError('--client-credentials needs --client-id, and its secret or key');
    const credentials = authenticated({ client, secret: place }, dependencies.secret);
    const asked = computeScopeUnion(authority.scope, last?.machine ? last.tokens.scope : undefined, wish.scope);
    const tokens = await signInByCredentials(authority, { client: credentials, scope: asked }, fetch);
    return { server, issuer, resource, client, secret: place, tokens, machine: true };
  }
  if (device) {
    const show = (at: URL, code: string, complete: URL | undefined) => {
      say(
        `Open this page on any device, and enter ${code}:\n\n  ${at.href}\n${complete ? `\nOr: ${complete.href}\n` : ''}`,
      );
      if (complete) draw?.(complete);
    };
    const forDevice = { scope, clientOf: () => clientOf(NO_REDIRECT, DEVICE_GRANT), show, now, wait };
    return grantOf(await signInByDevice(authority, forDevice, fetch));
  }
  const show = (at: URL) => {
    requireReach(url, at);
    say(`Sign in here:\n\n  ${at.href}\n`);
    if (browser) openBrowser(at);
  };
  const redirectUrl = byPerson?.client.redirect_uris?.[0];
  const forBrowser = { scope, redirectUrl, port, clientOf: (at: string) => clientOf(at, 'authorization_code'), show };
  return grantOf(await signInByBrowser(authority, forBrowser, fetch));
}
