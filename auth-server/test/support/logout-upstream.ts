/**
 * Owns an OpenID provider that reports logouts to a server in a test: it signs logout tokens, and its connector accepts every
 * callback. The `code` of a callback is the person, and behind a slash their session at the provider.
 */
import type { OpenConnector } from '../../src/federation/registry.ts';
import { open, type Play, sign, start } from './oidc-stand-in.ts';
import { form, type RunningServer } from './running-server.ts';

export const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

export interface LogoutUpstream extends AsyncDisposable {
  readonly play: Play;
  readonly issuer: string;
  /** For `startServer`. */
  connectors(acme: OpenConnector): readonly OpenConnector[];
  /** A logout token; a claim that is `undefined` is left out. */
  token(claims: Readonly<Record<string, unknown>>, header?: object): Promise<string>;
}

type Settings = Parameters<typeof open>[1];

let tokens = 0;

/** @param settings of the connector `acme` */
export async function startLogoutUpstream(settings: Settings = {}): Promise<LogoutUpstream> {
  const play = await start();
  const { issuer } = play;
  const { logout } = open(issuer, settings);
  return {
    play,
    issuer,
    connectors: (acme) => [
      {
        ...acme,
        connector: {
          ...acme.connector,
          logout,
          finish: async (answer) => {
            const [subject = '', sid] = (answer.searchParams.get('code') ?? '').split('/');
            return { identity: { issuer, subject, email: `${subject}@acme.example` }, session: { sid } };
          },
        },
      },
    ],
    token: (claims, header = {}) => {
      const now = Math.floor(Date.now() / 1000);
      tokens += 1;
      const usual = {
        iss: issuer,
        aud: 'client',
        iat: now,
        exp: now + 120,
        jti: `token-${tokens}`,
        events: { [EVENT]: {} },
      };
      return sign({ ...usual, ...claims }, { typ: 'logout+jwt', ...header });
    },
    [Symbol.asyncDispose]: () => play.stop(),
  };
}

export const report = (server: RunningServer, token: string, connector = 'acme') =>
  server.fetch(`/backchannel-logout/${connector}`, form({ logout_token: token }));
