/**
 * Proves on a real engine that the gateway serves an operator's own certificate, waits for it, takes a new one over, and
 * keeps the one that it has when the new one can't be used.
 */
import { chmodSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from '../../support/oauth-client.ts';
import { Operator, ORIGIN, PLAIN_ORIGIN } from './operator.ts';
import { serialOf } from './renewal.ts';

const SOON = { timeout: 30_000, interval: 250 };

describe('deploy/compose/own-certificate.yml', () => {
  const operator = new Operator({}, ['own-certificate']);
  const { composed } = operator;
  const url = new URL(ORIGIN);
  const pem = (name: string) => readFileSync(join(composed.folder, `${name}.pem`), 'utf8');
  const logged = () => composed.compose('logs', '--no-log-prefix', 'gateway');

  /** Puts a file in the place of the one that the gateway reads, in one step. */
  const put = (certificate: string, key: string) => {
    operator.write('certificate/new.pem', pem(certificate) + pem(key));
    renameSync(join(composed.folder, 'certificate/new.pem'), join(composed.folder, 'certificate/site.pem'));
  };

  beforeAll(async () => {
    operator.settings({ CERTIFICATE_DIR: './certificate' });
    const make = 'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=Acme';
    const named = (host: string, ...files: readonly string[]) =>
      `for n in ${files.join(' ')}; do ${make} -addext subjectAltName=DNS:${host} -keyout $n-key.pem -out $n.pem; done`;
    await composed.sh('mkdir certificate secrets');
    await composed.sh(`${named('localhost', 'first', 'second')}; ${named('*.attacker.example', 'other')}`);
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), pem('first'), pem('second')]);
    await composed.sh('docker compose up -d --no-deps gateway');
  }, 120_000);
  afterAll(() => operator[Symbol.asyncDispose](), 120_000);

  it('the gateway says that it waits for a certificate of its host, and serves it when it is there', async () => {
    await expect.poll(logged, SOON).toMatch(/there is no certificate yet in \/run\/certificate\/site\.pem/);
    put('other', 'other-key');
    await composed.sh('docker compose up -d --no-deps --wait gateway');
    await expect.poll(logged, SOON).toMatch(/no client can connect with the certificate: it does not name localhost/);
    put('first', 'first-key');
    await expect.poll(logged, SOON).toMatch(/new certificate, valid until/);
    expect((await send(`${ORIGIN}/livez`)).status).toBe(404);
    const { status, headers } = await send(`${PLAIN_ORIGIN}/mcp?a=1`);
    expect([status, headers.get('location')]).toEqual([308, `${ORIGIN}/mcp?a=1`]);
  });

  it('the gateway takes a new certificate over, without a restart', async () => {
    const before = await serialOf(url);
    put('second', 'second-key');
    await expect.poll(() => serialOf(url), SOON).not.toBe(before);
  });

  it('a certificate with the key of another one is refused and logged, and the one before stays', async () => {
    const before = await serialOf(url);
    put('first', 'second-key');
    await expect.poll(logged, SOON).toMatch(/the new certificate is refused, .* inconsistencies between private key/);
    expect(await serialOf(url)).toBe(before);
  });

  it('RFC 9525 §6.3 a certificate for another host is refused and logged, and the one before stays', async () => {
    const before = await serialOf(url);
    put('other', 'other-key');
    await expect.poll(logged, SOON).toMatch(/the new certificate is refused, .* Its names: DNS:\*\.attacker\.example/);
    expect(await serialOf(url)).toBe(before);
  });

  it("a certificate that the gateway's user can't read is logged, and the one before stays", async () => {
    const before = await serialOf(url);
    // Secret for root, as keys often are.
    chmodSync(join(composed.folder, 'certificate/site.pem'), 0o600);
    await expect.poll(logged, SOON).toMatch(/the new certificate is not taken over yet, .* Permission denied/);
    expect(await serialOf(url)).toBe(before);
  });

  it('RFC 8996 §5 TLS 1.1 is refused', async () => {
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    const socket = tls.connect({ host: 'localhost', servername: 'localhost', port: Number(url.port || 443), ...old });
    const error = await new Promise<Error>((resolve) => socket.on('error', resolve));
    expect(error.message).toMatch(/protocol version/);
  });
});
