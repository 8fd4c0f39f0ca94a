/**
 * Owns the operator's identity provider beside the compose project, and the network between them: a certificate of a
 * private authority, which auth-server is told to trust, and the shared client secret.
 */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Operator, ORIGIN } from './operator.ts';

const HOST = 'login.acme.example';
/** A name that looks public, and resolves inside this network only. */
export const CLIENT_HOST = 'app.example.com';
const SECRET = 'what Acme & this server know: 100 %';

/** The settings that docs/deployment.md requires for a provider with a private certificate authority. */
export const TRUST = { NODE_EXTRA_CA_CERTS: '/run/connectors/ca.pem' };

/** @param port of this machine, for the browser: a port chosen by Docker would change at each start */
export const acme = (port: number) => ({
  image: 'node:24-slim',
  init: true,
  command: ['node', '/acme.ts'],
  environment: { ISSUER: `https://${HOST}`, CLIENT_ID: 'mcp', REDIRECT_URI: `${ORIGIN}/callback/acme` },
  volumes: ['./acme.ts:/acme.ts:ro', './acme:/acme:ro'],
  networks: { front: { aliases: [HOST, CLIENT_HOST] } },
  ports: [`127.0.0.1:${port}:443`],
});

/** How a browser outside the network finds it. */
export const road = (port: number): string => `--host-resolver-rules=MAP ${HOST}:443 127.0.0.1:${port}`;

export class IdentityProvider {
  readonly #operator: Operator;

  private constructor(operator: Operator) {
    this.#operator = operator;
  }

  /** Makes everything that has to exist before the project starts. */
  static async prepare(operator: Operator): Promise<IdentityProvider> {
    const { composed } = operator;
    cpSync(fileURLToPath(new URL('./acme.ts', import.meta.url)), join(composed.folder, 'acme.ts'));
    operator.writeSecret('connectors/acme', SECRET);
    operator.write('acme/client-secret', SECRET);
    const make = 'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2';
    const names = `-subj /CN=${HOST} -addext subjectAltName=DNS:${HOST} -addext basicConstraints=critical,CA:FALSE`;
    await composed.sh(
      `${make} -subj /CN=Acme -keyout acme/ca.key -out secrets/connectors/ca.pem
       ${make} ${names} -CA secrets/connectors/ca.pem -CAkey acme/ca.key -keyout acme/key.pem -out acme/certificate.pem`,
    );
    return new IdentityProvider(operator);
  }

  /** From now on it closes every connection. */
  away(): void {
    this.#operator.write('acme/away', '');
  }

  /** From now on it has another secret than the operator. */
  forgetsSecret(): void {
    this.#operator.write('acme/client-secret', 'another');
  }

  /** Restores the initial state. */
  back(): void {
    rmSync(join(this.#operator.composed.folder, 'acme/away'), { force: true });
    this.#operator.write('acme/client-secret', SECRET);
  }

  certificate(): Promise<string> {
    return this.#operator.composed.sh('cat acme/certificate.pem');
  }

  /** Method and path of each request that it got. */
  requests(): Promise<string> {
    return this.#operator.composed.compose('logs', '--no-log-prefix', 'acme');
  }
}
