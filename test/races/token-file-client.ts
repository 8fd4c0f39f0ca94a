/**
 * Owns one of several client processes that share a token file, as editors run them: each refreshes with the token in
 * its memory, and reads the file when that is refused. Prints the result as one line of JSON.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmdirSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const [url = '', clientId = '', file = '', rounds = '1'] = process.argv.slice(2);

const stored = (): string => readFileSync(file, 'utf8');

/** Replaces the token with its successor; where another process was faster, the file stays unchanged. */
async function store(presented: string, successor: string): Promise<void> {
  for (;;) {
    try {
      mkdirSync(`${file}.lock`);
      break;
    } catch {
      await pause(1);
    }
  }
  if (stored() === presented) {
    writeFileSync(`${file}.${process.pid}`, successor);
    renameSync(`${file}.${process.pid}`, file);
  }
  rmdirSync(`${file}.lock`);
}

async function refresh(token: string): Promise<{ status: number; error?: string; refresh_token?: string }> {
  const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: clientId, refresh_token: token });
  const response = await fetch(url, { method: 'POST', body });
  return { status: response.status, ...((await response.json()) as object) };
}

const seen = { refreshed: 0, tooLate: 0, signedOut: 0 };
let token = stored();
process.stdout.write('ready\n');
while (!existsSync(`${file}.go`)) await pause(2);
while (seen.refreshed < Number(rounds) && seen.signedOut === 0) {
  const { status, error, refresh_token: successor = '' } = await refresh(token);
  if (status === 200) {
    seen.refreshed += 1;
    await store(token, successor);
    token = successor;
  } else if (error === 'invalid_grant' && stored() !== token) {
    seen.tooLate += 1;
    token = stored();
  } else {
    seen.signedOut += 1;
  }
}
process.stdout.write(`${JSON.stringify(seen)}\n`);
