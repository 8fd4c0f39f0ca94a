/**
 * Proves which clients sign in at an issuer that has no registration and refuses `resource`, if they read its metadata at mcp-server
 * (ISSUER_METADATA=here); which refuse; and what this cannot mend.
 */
import { spawn } from 'node:child_process';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { IssuerMismatchError } from '@modelcontextprotocol/client';
import { describe, expect, it } from 'vitest';
import { ClientState } from '../support/client-state.ts';
import { type Driver, drivers } from '../support/drivers.ts';
import { REDIRECT_URI } from '../support/oauth-client.ts';
import { ResourceServer } from '../support/resource-server.ts';
import { ROOT } from '../support/stack.ts';
import { CLIENT_ID, StrictIssuer } from './strict-issuer.ts';

const LOOPBACK = 'http://127.0.0.1/callback';

const HERE = {
  ISSUER_METADATA: 'here',
  ISSUER_CLIENT_ID: CLIENT_ID,
  ISSUER_CLIENT_REDIRECT_URIS: LOOPBACK,
  ISSUER_RESOURCE_PARAMETER: 'drop',
  ISSUER_PKCE_METHOD: 'S256',
};

type Behaviour = Omit<Parameters<typeof StrictIssuer.start>[1], 'audience'>;

async function start(behaviour: Behaviour, settings: Readonly<Record<string, string>> = HERE) {
  const [port = 0] = await freePorts(1);
  const issuer = await StrictIssuer.start([LOOPBACK], { ...behaviour, audience: `http://localhost:${port}/mcp` });
  const server = await ResourceServer.start({ ISSUER: issuer.url, ...settings }, port);
  const dispose = async () => {
    await server[Symbol.asyncDispose]();
    await issuer[Symbol.asyncDispose]();
  };
  return { issuer, server, [Symbol.asyncDispose]: dispose };
}

/** Follows redirects as a browser does, up to the client. */
async function browse(url: URL): Promise<URL> {
  let at = url;
  while (!at.href.startsWith(REDIRECT_URI)) {
    const response = await fetch(at, { redirect: 'manual' });
    const location = response.headers.get('location');
    if (!location) throw new Error(`${response.status}: ${await response.text()}`);
    at = new URL(location, at);
  }
  return at;
}

const isV2 = ({ name }: Driver) => name.startsWith('SDK v2');
const [v1, v2] = [drivers.find((driver) => !isV2(driver)), drivers.find(isV2)] as [Driver, Driver];

describe('an issuer without registration that refuses resource at its authorization endpoint', () => {
  it.each(drivers)('RFC 7591 §3 $name registers here, signs in there and calls whoami', async (driver) => {
    await using here = await start({ refuses: 'authorize' });
    const said = await here.server.signedIn(driver, new ClientState(REDIRECT_URI), browse);
    expect(said).toMatchObject({ subject: 'alice', client: CLIENT_ID, issuer: here.issuer.url });
    const [asked] = here.issuer.asked;
    expect(asked?.get('redirect_uri')).toBe(REDIRECT_URI);
    expect(asked?.has('resource')).toBe(false);
    // Nothing stands between the client and the token endpoint.
    expect(here.issuer.redeemed).toMatchObject([{ resource: `${here.server.url}${driver.path}` }]);
  });

  it.each([v1, v2])('$name can do nothing there if it reads the metadata at the issuer', async (driver) => {
    await using alone = await start({ refuses: 'authorize' }, {});
    const signedIn = alone.server.signedIn(driver, new ClientState(REDIRECT_URI), browse);
    await expect(signedIn).rejects.toThrow(/does not support dynamic client registration/);
  });

  it.each([v1, v2])(
    'RFC 7591 §3.2.2 $name with a redirect URI that is not registered there is told which are',
    async (driver) => {
      await using here = await start({});
      const state = new ClientState('http://127.0.0.1:33418/elsewhere');
      await expect(here.server.signedIn(driver, state, browse)).rejects.toThrow(LOOPBACK);
      expect(here.issuer.asked).toEqual([]);
    },
  );

  it.each([v1, v2])(
    'RFC 8707 §2.2 an issuer that refuses resource at its token endpoint too stays impossible for $name',
    async (driver) => {
      await using here = await start({ refuses: 'both' });
      const signedIn = here.server.signedIn(driver, new ClientState(REDIRECT_URI), browse);
      await expect(signedIn).rejects.toThrow(/'resource' is not supported/);
      expect(here.issuer.redeemed).toHaveLength(1);
    },
  );
});

describe('RFC 9207 §2.4 an issuer that sends its own iss with the code', () => {
  it.each([
    ['and announces it', true],
    ['without announcing it', false],
  ])('SDK v1 does not compare it and signs in, %s', async (_, announcesIss) => {
    await using here = await start({ sendsIss: true, announcesIss });
    const said = await here.server.signedIn(v1, new ClientState(REDIRECT_URI), browse);
    expect(said).toMatchObject({ subject: 'alice' });
  });

  it.each([
    ['and announces it', true],
    ['without announcing it', false],
  ])('SDK v2 refuses before it sends the code to anybody, %s', async (_, announcesIss) => {
    await using here = await start({ sendsIss: true, announcesIss });
    const signedIn = here.server.signedIn(v2, new ClientState(REDIRECT_URI), browse);
    const error = await signedIn.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(IssuerMismatchError);
    expect(error).toMatchObject({
      kind: 'authorization_response',
      expected: here.server.url,
      received: here.issuer.url,
    });
    expect(here.issuer.redeemed).toEqual([]);
  });
});

describe('the doctor', () => {
  it('npm run doctor --login finds no fault where the metadata of the issuer comes from here', async () => {
    await using here = await start({ refuses: 'authorize' });
    const args = ['run', '-s', 'doctor', '--', `${here.server.url}/mcp`, '--login', '--no-browser', '--call', 'whoami'];
    const child = spawn('npm', args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    let opened: Promise<unknown> | undefined;
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk;
      const [, url] = /^ {2}(http\S+)\n/m.exec(stderr) ?? [];
      if (url) opened ??= fetch(url);
    });
    const status = await new Promise((resolve) => child.once('close', resolve));
    await opened;
    expect(stdout).toMatch(/\nNo fault: clients can connect\.\n$/);
    expect(stdout.match(/^ {2}[✗!] .*$/gm) ?? [], stdout).toEqual([]);
    expect(status).toBe(0);
  });
});
