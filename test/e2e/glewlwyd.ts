/**
 * Owns a real Glewlwyd in a test, an OpenID provider that is not ours: on a free port of this machine, with one person and one client,
 * who are set up by its administration API. Everything that it keeps is in a temporary folder and ends with it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { copyFileSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import type { BrowserContext } from 'playwright-core';

const PAGES = '/usr/share/glewlwyd/webapp';
const SCHEMA = '/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3';
export const hasGlewlwyd = existsSync(PAGES) && existsSync(SCHEMA);
export const NEEDS_GLEWLWYD = 'needs Glewlwyd: .ci/prerequisites.sh as root';

export const CLIENT = { id: 'mcp-tools', secret: 'sample-secret_1234' } as const;
export const ALICE = { username: 'alice', password: 'alice 1234', email: 'alice@example.com' } as const;

const SESSION_COOKIE = 'GLEWLWYD2_OIDC_SID';

/** What it gets besides the usual. */
interface More {
  /** Parameters of its OpenID plugin. */
  readonly plugin?: object;
  readonly client?: object;
  /** Scopes that Alice has. */
  readonly scopes?: readonly string[];
}

export class Glewlwyd implements AsyncDisposable {
  readonly url: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'glewlwyd-'));
  readonly #process: ChildProcess;
  #output = '';
  #cookie = '';

  private constructor(port: number) {
    this.url = `http://localhost:${port}`;
    writeFiles(this.#folder, port, this.url);
    this.#process = spawn('glewlwyd', [`--config-file=${join(this.#folder, 'glewlwyd.conf')}`]);
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on('data', (chunk) => {
        this.#output += chunk;
      });
    }
  }

  /** @param authUrl of the auth-server that is its one client, with the connector `acme` */
  static async start(authUrl: string, more: More = {}): Promise<Glewlwyd> {
    const [port = 0] = await freePorts(1);
    const provider = new Glewlwyd(port);
    try {
      while (!(await provider.#signIn())) await setTimeout(50);
      await provider.#setUp(authUrl, more);
    } catch (error) {
      await provider[Symbol.asyncDispose]();
      throw error;
    }
    return provider;
  }

  get issuer(): string {
    return `${this.url}/api/oidc`;
  }

  /** Refresh tokens that it has issued. */
  refreshes(): number {
    return this.#output.match(/Refresh token generated/g)?.length ?? 0;
  }

  /** Its page for a logout that another client asks for, as it shows it after that client has named the session by an id token. */
  async logoutPage(person: BrowserContext): Promise<string> {
    const session = (await person.cookies(this.url)).find(({ name }) => name === SESSION_COOKIE);
    const query = { prompt: 'end_session', plugin: 'oidc', client_id: CLIENT.id, sid: session?.value ?? '' };
    return `${this.url}/login.html?${new URLSearchParams(query)}`;
  }

  /** Uses the administration API. @param body as JSON */
  async ask(method: string, path: string, body?: object): Promise<Response> {
    const headers = { 'content-type': 'application/json', cookie: this.#cookie };
    const answer = await fetch(`${this.url}/api${path}`, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!answer.ok)
      throw new Error(
        `Glewlwyd answered ${answer.status} to ${method} ${path}: ${await answer.text()}\n${this.#output}`,
      );
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('close', resolve));
    if (this.#process.kill()) await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #signIn(): Promise<boolean> {
    if (this.#process.exitCode !== null) throw new Error(`Glewlwyd ended:\n${this.#output}`);
    const answer = await this.ask('POST', '/auth/', { username: 'admin', password: 'password' }).catch(() => undefined);
    this.#cookie = answer?.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    return this.#cookie !== '';
  }

  async #setUp(authUrl: string, { plugin, client, scopes = [] }: More): Promise<void> {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    await this.ask('POST', '/mod/plugin/', {
      module: 'oidc',
      name: 'oidc',
      enabled: true,
      parameters: {
        iss: this.issuer,
        'jwt-type': 'rsa',
        'jwt-key-size': '256',
        key: privateKey,
        cert: publicKey,
        'jwks-show': true,
        'code-duration': 600,
        'access-token-duration': 3600,
        'refresh-token-duration': 1_209_600,
        'refresh-token-rolling': true,
        'refresh-token-one-use': 'always',
        'auth-type-code-enabled': true,
        'auth-type-refresh-enabled': true,
        'pkce-allowed': true,
        'name-claim': 'mandatory',
        'session-management-allowed': true,
        'session-cookie-name': SESSION_COOKIE,
        'session-cookie-expiration': 2_419_200,
        'back-channel-logout-allowed': true,
        // Without it the page of the logout does not work.
        'front-channel-logout-allowed': true,
        ...plugin,
      },
    });
    for (const name of ['profile', 'email', ...scopes])
      await this.ask('POST', '/scope/', { name, display_name: name, password_required: false });
    await this.ask('POST', '/client/', {
      client_id: CLIENT.id,
      client_secret: CLIENT.secret,
      name: 'MCP tools',
      enabled: true,
      confidential: true,
      redirect_uri: [`${authUrl}/callback/acme`],
      authorization_type: ['code', 'refresh_token'],
      token_endpoint_auth_method: ['client_secret_basic'],
      backchannel_logout_uri: `${authUrl}/backchannel-logout/acme`,
      backchannel_logout_session_required: 'yes',
      ...client,
    });
    await this.ask('POST', '/user/', {
      ...ALICE,
      name: 'Alice',
      enabled: true,
      scope: ['openid', 'profile', 'email', 'g_profile', ...scopes],
    });
  }
}

function writeFiles(folder: string, port: number, url: string): void {
  const people = new DatabaseSync(join(folder, 'glewlwyd.db'));
  people.exec(readFileSync(SCHEMA, 'utf8'));
  people.close();
  // It serves no links, and the package has config.json in another folder than these pages look.
  const pages = join(folder, 'pages');
  cpSync(PAGES, pages, { recursive: true, dereference: true, filter: (file) => basename(file) !== 'config.json' });
  copyFileSync('/usr/share/glewlwyd/templates/config.json', join(pages, 'config.json'));
  const types = {
    html: 'text/html',
    css: 'text/css',
    js: 'application/javascript',
    json: 'application/json',
    png: 'image/png',
  };
  const settings = {
    port,
    bind_address: '127.0.0.1',
    external_url: url,
    login_url: 'login.html',
    api_prefix: 'api',
    static_files_path: `${pages}/`,
    log_mode: 'console',
    log_level: 'INFO',
    cookie_domain: 'localhost',
    cookie_secure: 0,
    session_key: 'GLEWLWYD2_SESSION_ID',
    admin_scope: 'g_admin',
    profile_scope: 'g_profile',
    user_module_path: '/usr/lib/glewlwyd/user',
    client_module_path: '/usr/lib/glewlwyd/client',
    user_auth_scheme_module_path: '/usr/lib/glewlwyd/scheme',
    plugin_module_path: '/usr/lib/glewlwyd/plugin',
    hash_algorithm: 'SHA512',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  const mime = Object.entries(types).map(([name, type]) => `{ extension = ".${name}" mime_type = "${type}" }`);
  lines.push(`database = { type = "sqlite3" path = "${join(folder, 'glewlwyd.db')}" }`);
  lines.push(`static_files_mime_types = (${mime.join(', ')})`);
  writeFileSync(join(folder, 'glewlwyd.conf'), `${lines.join('\n')}\n`);
}
