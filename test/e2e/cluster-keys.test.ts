/**
 * Proves that mcp-server reads the keys of an issuer that shows them only to callers with a bearer token, as a Kubernetes cluster does:
 * over TLS with a certificate authority of its own, with the token that its file contains at that time, and that no other host gets it.
 */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import type { JWTHeaderParameters } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CERTIFICATE, CERTIFICATES, trustTestCertificate } from '../../auth-server/test/support/client-host.ts';
import { SHAPES } from '../../mcp-server/test/issuers/shapes.ts';
import { type ForeignServer, startServer } from '../../mcp-server/test/support/foreign.ts';
import { type SigningKey, signingKey, signToken } from '../../mcp-server/test/support/issuer.ts';
import { ResourceServer } from '../support/resource-server.ts';

const POD = 'system:serviceaccount:ci:deployer';
/** What `whoami` says; the log names the subject of a refused token, too. */
const ACCEPTED = { subject: POD, scopes: ['mcp:tools'] };
const KEYS = '/openid/v1/jwks';

/** A host with TLS: the API server of a cluster, or another host that must not get its token. */
class Host implements AsyncDisposable {
  readonly url: string;
  readonly seen: { readonly path: string; readonly authorization: string | undefined }[] = [];
  /** The only token that it accepts; with none everybody may read. */
  accepted: string | undefined;
  /** Where it redirects each request to. */
  elsewhere: string | undefined;
  readonly documents: Record<string, unknown> = {};
  readonly #server: Server;

  private constructor(port: number) {
    this.url = `https://localhost:${port}`;
    this.#server = createServer(CERTIFICATES, ({ url: path = '', headers: { authorization } }, res) => {
      this.seen.push({ path, authorization });
      const mayRead = this.accepted === undefined || authorization === `Bearer ${this.accepted}`;
      const document = this.documents[path];
      if (this.elsewhere) res.writeHead(302, { location: this.elsewhere + path }).end();
      else if (!mayRead) res.writeHead(401).end();
      else res.writeHead(document ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(document));
    });
  }

  static async start(): Promise<Host> {
    const [port = 0] = await freePorts(1);
    const host = new Host(port);
    await new Promise<void>((resolve) => host.#server.listen(port, '127.0.0.1', resolve));
    return host;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

let cluster: Host;
let other: Host;
let key: SigningKey;
let folder: string;
let file: string;
const rotate = (token: string) => {
  cluster.accepted = token;
  writeFileSync(file, `${token}\n`);
};

beforeEach(async () => {
  [cluster, other, key] = await Promise.all([Host.start(), Host.start(), signingKey('key-1', 'RS256')]);
  folder = mkdtempSync(join(tmpdir(), 'cluster-keys-'));
  file = join(folder, 'token');
  rotate('first.token');
  copyFileSync(CERTIFICATE, join(folder, 'ca.crt'));
  publish(`${cluster.url}${KEYS}`);
});
afterEach(async () => {
  rmSync(folder, { recursive: true });
  await Promise.all([cluster, other].map((host) => host[Symbol.asyncDispose]()));
});

/** What the cluster shows: its own keys, and where the metadata says that they are. */
function publish(place: string, ...keys: SigningKey[]) {
  cluster.documents['/.well-known/openid-configuration'] = { issuer: cluster.url, jwks_uri: place };
  cluster.documents[KEYS] = { keys: [key, ...keys].map(({ publicJwk }) => publicJwk) };
}

/** What deploy/kubernetes/components/cluster-keys sets, for the folder with the token and the certificate authority. */
const trusted = () => ({ NODE_USE_SYSTEM_CA: '1', SSL_CERT_DIR: folder });

const settings = () => ({
  ISSUER: cluster.url,
  ISSUER_PRESET: 'kubernetes',
  TOKEN_SCOPE_MAP: 'system:serviceaccount:ci:*=mcp:tools',
  ISSUER_KEYS_TOKEN_FILE: file,
});

function tokenOfPod(server: string, now: number, signedBy = key): Promise<string> {
  const shape = SHAPES.kubernetes ?? expect.unreachable();
  const claims = { iss: cluster.url, ...shape.claims(server), iat: now, exp: now + 600 };
  // Without a `typ` of its own, signToken would write at+jwt.
  return signToken({ key: signedBy, claims, header: { typ: undefined } as unknown as JWTHeaderParameters });
}

describe('a cluster whose keys need a token, and mcp-server as a process', () => {
  it.each([
    ['by its metadata', {}],
    ['at JWKS_URL', () => ({ JWKS_URL: `${cluster.url}${KEYS}` })],
  ])('mcp-server finds the keys %s, and a pod calls a tool', async (_, more) => {
    const found = typeof more === 'function' ? more() : more;
    await using server = await ResourceServer.start({ ...settings(), ...found, ...trusted() });
    const token = await tokenOfPod(server.url, Math.floor(Date.now() / 1000));
    expect(await server.whoami(token)).toMatchObject(ACCEPTED);
    expect(new Set(cluster.seen.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer first.token']));
    expect(server.output).not.toContain('first.token');
  });
});

describe('where the token for the keys goes', () => {
  const whoami = async (server: ForeignServer, signedBy = key) =>
    server.whoami(await tokenOfPod(server.url, server.clock.now() / 1000, signedBy));
  const start = (more: Readonly<Record<string, string>> = {}) => {
    trustTestCertificate();
    return startServer({ ...settings(), ...more });
  };

  it('the file is read anew each time: a token that the kubelet has renewed is sent next', async () => {
    await using server = await start();
    expect(await whoami(server)).toMatchObject(ACCEPTED);
    const next = await signingKey('key-2', 'RS256');
    publish(`${cluster.url}${KEYS}`, next);
    rotate('second.token');
    server.clock.advance(31);
    expect(await whoami(server, next)).toMatchObject(ACCEPTED);
    expect(cluster.seen.at(-1)).toEqual({ path: KEYS, authorization: 'Bearer second.token' });
  });

  it('a redirect is not followed, so its target gets no token', async () => {
    other.documents[KEYS] = { keys: [key.publicJwk] };
    cluster.elsewhere = other.url;
    await using server = await start({ JWKS_URL: `${cluster.url}${KEYS}` });
    expect(await whoami(server)).toMatchObject({ reason: 'keys_unavailable' });
    expect(other.seen).toEqual([]);
  });

  it('metadata that names another host for the keys does not send the token there, and the log says what to set', async () => {
    publish(`${other.url}${KEYS}`);
    other.accepted = 'a token of its own';
    await using server = await start();
    expect(await whoami(server)).toMatchObject({ reason: 'keys_unavailable' });
    expect(other.seen).toEqual([{ path: KEYS, authorization: undefined }]);
    const { reason } = server.log.map((line) => JSON.parse(line)).find(({ msg }) => msg === 'issuer keys not fetched');
    expect(reason).toContain(`ISSUER_KEYS_TOKEN_FILE is sent to ${cluster.url} only: set JWKS_URL`);
  });

  it('a host of the operator that JWKS_URL names gets the token, and then the host of the issuer does not', async () => {
    other.documents[KEYS] = { keys: [key.publicJwk] };
    other.accepted = 'first.token';
    cluster.accepted = undefined;
    await using server = await start({ JWKS_URL: `${other.url}${KEYS}`, ISSUER_ANNOUNCED: 'true' });
    expect(await whoami(server)).toMatchObject(ACCEPTED);
    await server.fetch('/.well-known/oauth-authorization-server');
    expect(cluster.seen.map(({ authorization }) => authorization)).toContain(undefined);
    expect(cluster.seen.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
  });

  it('metadata that needs a token at another host than JWKS_URL is not read, and the log says where the token goes', async () => {
    await using server = await start({ JWKS_URL: `${other.url}${KEYS}`, ISSUER_ANNOUNCED: 'true' });
    await server.fetch('/.well-known/oauth-authorization-server');
    const lines = server.log.map((line) => JSON.parse(line));
    const { reason } = lines.find(({ msg }) => msg === 'issuer metadata not fetched');
    expect(reason).toContain(`ISSUER_KEYS_TOKEN_FILE is sent to ${other.url} only`);
    expect(reason).not.toContain('set JWKS_URL');
  });

  it('a file that is lost later is named in the log, and known keys stay in use', async () => {
    await using server = await start();
    expect(await whoami(server)).toMatchObject(ACCEPTED);
    rmSync(file);
    server.clock.advance(31);
    const unknown = await signingKey('key-3', 'RS256');
    expect(await whoami(server, unknown)).toMatchObject({ reason: 'unknown_key' });
    expect(server.log.join('\n')).toContain(`ISSUER_KEYS_TOKEN_FILE: the file ${file} can't be read (ENOENT)`);
    expect(await whoami(server)).toMatchObject(ACCEPTED);
  });

  it('only the issuer with the setting gets the token, if there are several', async () => {
    other.documents['/.well-known/oauth-authorization-server'] = { issuer: other.url, jwks_uri: `${other.url}/keys` };
    other.documents['/keys'] = { keys: [] };
    const { ISSUER_PRESET, TOKEN_SCOPE_MAP } = settings();
    await using server = await startServer({
      ISSUERS: JSON.stringify({
        cluster: { URL: cluster.url, PRESET: ISSUER_PRESET, TOKEN_SCOPE_MAP, KEYS_TOKEN_FILE: file },
        corp: { URL: other.url },
      }),
    });
    expect(await whoami(server)).toMatchObject(ACCEPTED);
    await server.prepare();
    await expect.poll(() => other.seen.map(({ path }) => path)).toContain('/keys');
    expect(other.seen.every(({ authorization }) => authorization === undefined)).toBe(true);
  });
});

describe('what is refused at the start', () => {
  it.each([
    ['no file', () => rmSync(file), {}, /ISSUER_KEYS_TOKEN_FILE: the file .* can't be read \(ENOENT\)/],
    [
      'a file without a token',
      () => writeFileSync(file, '\n'),
      {},
      /ISSUER_KEYS_TOKEN_FILE: the file .* contains no token/,
    ],
    [
      'a file of two lines',
      () => writeFileSync(file, 'one\ntwo'),
      {},
      /ISSUER_KEYS_TOKEN_FILE: the file .* contains no token/,
    ],
    [
      'keys over plain http at a host outside of the network',
      () => {},
      { JWKS_URL: 'http://cluster.example.com/jwks' },
      /^JWKS_URL: must use https unless it is inside the network, as it gets the token of ISSUER_KEYS_TOKEN_FILE/,
    ],
  ])('RFC 6750 §5.3 mcp-server does not start with %s', async (_, prepare, more, expected) => {
    prepare();
    await expect(startServer({ ...settings(), ...more })).rejects.toThrow(expected);
  });
});
