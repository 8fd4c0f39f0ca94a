/**
 * Owns the program that the official conformance runner starts as a client: it signs in with the terminal client of this repository as the
 * scenario says, and lists the tools. Its argument is the URL of the MCP server.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { placeOf } from '../../client/src/enterprise/identity-provider.ts';
import { tokenFile } from '../../client/src/tokens/token-file.ts';
import { ROOT } from '../support/stack.ts';

const [url = ''] = process.argv.slice(2);
const { MCP_CONFORMANCE_SCENARIO: scenario = '', MCP_CONFORMANCE_CONTEXT: given = '{}' } = process.env;
/** What the scenario gives to a client: its credentials, and the ID token of a sign-in at the identity provider. */
const context = JSON.parse(given) as Readonly<Record<string, string>>;
const folder = mkdtempSync(join(tmpdir(), 'conformance-client-'));

const WAYS: Readonly<Record<string, () => Promise<readonly string[]>>> = {
  'auth/client-credentials-jwt': async () => {
    const key = join(folder, 'key.pem');
    writeFileSync(key, context.private_key_pem ?? '');
    return ['--client-credentials', '--client-id', context.client_id ?? '', '--client-key', key];
  },
  'auth/client-credentials-basic': async () => ['--client-credentials', '--client-id', context.client_id ?? ''],
  'auth/enterprise-managed-authorization': async () => {
    const { idp_issuer: issuer = '', idp_client_id: clientId = '', idp_id_token: token = '' } = context;
    await keepSignIn(issuer, clientId, token);
    return ['--enterprise', '--client-id', context.client_id ?? '', '--idp', issuer, '--idp-client-id', clientId];
  },
  'auth/pre-registration': async () => ['--client-id', context.client_id ?? ''],
};

/** As `login --enterprise` has kept it after a sign-in with the browser, which the identity provider of the scenario does not have. */
async function keepSignIn(issuer: string, clientId: string, token: string): Promise<void> {
  const dependencies = { now: Date.now, wait: setTimeout, unique: () => 'new' };
  await tokenFile(folder, placeOf({ issuer, clientId }), dependencies).update(async () => ({
    server: issuer,
    issuer,
    client: { client_id: clientId },
    tokens: { access_token: 'unused', token_type: 'Bearer', id_token: token },
  }));
}

/** Opens the page of a sign-in as a browser does. */
function client(...words: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, ['client/src/main.ts', url, ...words, '--tokens', folder], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, MCP_CLIENT_SECRET: context.client_secret },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  let [said, isOpen] = ['', false];
  child.stderr.on('data', (chunk: Buffer) => {
    process.stderr.write(chunk);
    said += chunk;
    const [, page] = /^ {2}(http\S+)\n/m.exec(said) ?? [];
    if (!page || isOpen) return;
    isOpen = true;
    fetch(page).catch(() => {});
  });
  return new Promise((resolve) => child.once('close', (status) => resolve(status ?? 1)));
}

const words = (await WAYS[scenario]?.()) ?? [];
const status = (await client('login', '--no-browser', ...words)) || (await client('list'));
rmSync(folder, { recursive: true });
process.exitCode = status;
