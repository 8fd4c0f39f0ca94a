/**
 * Owns what an operator does by README's "On the internet": .env, the secrets and the commands, in a copy of the tree.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { Composed } from '../composed.ts';
import { commandsUnder } from '../readme.ts';

/** 443 and 80, unless a developer uses them for something else. */
const { HTTPS_PORT = '443', HTTP_PORT = '80' } = process.env;

export const ORIGIN = HTTPS_PORT === '443' ? 'https://localhost' : `https://localhost:${HTTPS_PORT}`;
/** The plain-http address of a person who typed no https. */
export const PLAIN_ORIGIN = HTTPS_PORT === '443' ? 'http://localhost' : `http://localhost:${HTTP_PORT}`;

const ENV = {
  PUBLIC_URL: ORIGIN,
  CONNECTORS: 'acme',
  CONNECTOR_ACME_TYPE: 'oidc',
  CONNECTOR_ACME_NAME: 'Acme',
  CONNECTOR_ACME_ISSUER: 'https://login.acme.example',
  CONNECTOR_ACME_CLIENT_ID: 'mcp',
  CONNECTOR_ACME_CLIENT_SECRET_FILE: '/run/connectors/acme',
  CONNECTOR_ACME_ALLOW: 'domain:acme.example',
};

const [folders = '', secrets = '', up = '', ...others] = commandsUnder('On the internet');

/** README's commands as they are written: folders, secrets and start, without those that need the internet. */
export const commands = { folders, secrets, up, others } as const;

export class Operator implements AsyncDisposable {
  readonly composed: Composed;
  readonly #override: string | undefined;

  /**
   * @param services additional services, as in a compose file
   * @param overrides names in deploy/compose, after production.yml
   */
  constructor(services: Readonly<Record<string, object>> = {}, overrides: readonly string[] = []) {
    const elsewhere = HTTPS_PORT !== '443';
    this.#override = elsewhere || Object.keys(services).length > 0 ? 'beside.yml' : undefined;
    const parts = ['production', ...overrides].map((name) => `deploy/compose/${name}.yml`);
    const files = ['docker-compose.yml', ...parts, this.#override].filter(Boolean);
    this.composed = new Composed('mcp-oauth-production', { COMPOSE_FILE: files.join(':') });
    if (!this.#override) return;
    const ports = (...all: readonly string[]) => JSON.stringify(all.map((port) => `127.0.0.1:${port}`));
    const plain = overrides.includes('own-certificate') ? [`${HTTP_PORT}:8080`] : [];
    const gateway = `  gateway: { ports: !override ${ports(`${HTTPS_PORT}:8443`, ...plain)} }\n`;
    const certificates = `  certificates: { ports: !override ${ports(`${HTTP_PORT}:80`)} }\n`;
    const published = elsewhere ? gateway + certificates : '';
    const others = Object.entries(services).map(([name, service]) => `  ${name}: ${JSON.stringify(service)}\n`);
    this.write(this.#override, `services:\n${published}${others.join('')}`);
  }

  write(path: string, content: string): void {
    this.composed.write(path, content);
  }

  writeSecret(name: string, content: string): void {
    this.write(`secrets/${name}`, content);
  }

  removeSecret(name: string): void {
    rmSync(join(this.composed.folder, 'secrets', name));
  }

  settings(changed: Readonly<Record<string, string>> = {}): void {
    const lines = Object.entries({ ...ENV, ...changed }).map((pair) => `${pair.join('=')}\n`);
    this.write('.env', lines.join(''));
  }

  /** The last of README's commands, against this machine's origin. */
  get up(): string {
    const beside = this.#override ? ` -f ${this.#override}` : '';
    return up.replace('https://mcp.example.com', ORIGIN).replace(' up ', `${beside} up `);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.composed[Symbol.asyncDispose]();
  }
}
