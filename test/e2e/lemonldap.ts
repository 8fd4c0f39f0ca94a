/**
 * Owns a real LemonLDAP::NG in a test, an OpenID provider that is not ours: its portal on a free port of this machine, with people in
 * a SQLite file, and one client. Sessions, keys and people are in a temporary folder and end with it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { type Client, configuration } from './lemonldap-configuration.ts';

const PORTAL = '/usr/share/lemonldap-ng/portal';
export const hasLemonLdap = existsSync(PORTAL) && existsSync('/usr/bin/starman');
export const NEEDS_LEMONLDAP = 'needs LemonLDAP::NG: .ci/prerequisites.sh as root';

/** @param department whose people are the group of the same name */
const person = (name: string, mail: string, department: string) => ({
  name,
  mail,
  department,
  password: `${name} 1234`,
});

export const PEOPLE = {
  alice: person('Alice', 'alice@example.com', 'staff'),
  bob: person('Bob', 'bob@example.com', 'staff'),
  carol: person('Carol', 'carol@elsewhere.example', 'guests'),
} as const;

export type Uid = keyof typeof PEOPLE;

export class LemonLdap implements AsyncDisposable {
  readonly url: string;
  readonly #folder: string;
  readonly #people: DatabaseSync;
  readonly #portal: ChildProcess;
  #output = '';

  private constructor(port: number, redirectUri: string, client?: Client) {
    this.url = `http://localhost:${port}`;
    this.#folder = mkdtempSync(join(tmpdir(), 'lemonldap-'));
    this.#people = openPeople(join(this.#folder, 'people.db'));
    writeConfiguration(this.#folder, configuration(this.#folder, this.url, redirectUri, client));
    // Several processes: Chromium opens connections in advance, and each keeps one busy.
    const options = ['--listen', `127.0.0.1:${port}`, '--workers', '4', '--disable-keepalive'];
    const env = { PATH: process.env.PATH, LLNG_DEFAULTCONFFILE: join(this.#folder, 'lemonldap-ng.ini') };
    this.#portal = spawn('starman', [...options, join(this.#folder, 'portal.psgi')], { env });
    for (const stream of [this.#portal.stdout, this.#portal.stderr]) {
      stream?.on('data', (chunk) => {
        this.#output += chunk;
      });
    }
  }

  /** @param redirectUri of the one client */
  static async start(redirectUri: string, client?: Client): Promise<LemonLdap> {
    const [port = 0] = await freePorts(1);
    const provider = new LemonLdap(port, redirectUri, client);
    try {
      while (!(await provider.#answers())) await setTimeout(50);
    } catch (error) {
      await provider[Symbol.asyncDispose]();
      throw error;
    }
    return provider;
  }

  /** The portal finds only accounts that are enabled. */
  enable(uid: Uid, isEnabled: boolean): void {
    this.#people.prepare('UPDATE people SET enabled = ? WHERE uid = ?').run(Number(isEnabled), uid);
  }

  move(uid: Uid, department: 'staff' | 'guests'): void {
    this.#people.prepare('UPDATE people SET department = ? WHERE uid = ?').run(department, uid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#portal.once('close', resolve));
    if (this.#portal.kill('SIGQUIT')) await ended;
    this.#people.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #answers(): Promise<boolean> {
    if (this.#portal.exitCode !== null) throw new Error(`LemonLDAP::NG ended:\n${this.#output}`);
    const answer = await fetch(`${this.url}/.well-known/openid-configuration`).catch(() => undefined);
    // It reports a wrong configuration so.
    if (answer?.status === 500) throw new Error(`LemonLDAP::NG does not start:\n${this.#output}`);
    return answer?.ok === true;
  }
}

function openPeople(file: string): DatabaseSync {
  const people = new DatabaseSync(file);
  people.exec(
    'CREATE TABLE people (uid TEXT PRIMARY KEY, password TEXT, name TEXT, mail TEXT, department TEXT, enabled)',
  );
  people.exec('CREATE VIEW active AS SELECT * FROM people WHERE enabled = 1');
  const insert = people.prepare('INSERT INTO people VALUES (?, ?, ?, ?, ?, 1)');
  for (const [uid, { password, name, mail, department }] of Object.entries(PEOPLE)) {
    insert.run(uid, password, name, mail, department);
  }
  return people;
}

function writeConfiguration(folder: string, written: object): void {
  for (const name of ['conf', 'sessions', 'sessions/lock', 'psessions', 'psessions/lock'])
    mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'conf/lmConf-1.json'), JSON.stringify(written));
  const templates = `[portal]\nstaticPrefix = /static\ntemplateDir = ${PORTAL}/templates\nlanguages = en\n`;
  const ini = `[all]\nlogLevel = info\nlocalStorage =\n[configuration]\ntype=File\ndirName = ${folder}/conf\n${templates}`;
  writeFileSync(join(folder, 'lemonldap-ng.ini'), ini);
  const psgi = `use Plack::Builder; use Lemonldap::NG::Portal::Main;
my $portal = Lemonldap::NG::Portal::Main->run({});
builder {
  enable 'Static', path => qr{^/static/}, root => '${PORTAL}/htdocs/';
  enable 'Static', path => qr{^/javascript/}, root => '/usr/share/';
  $portal;
};
`;
  writeFileSync(join(folder, 'portal.psgi'), psgi);
}
