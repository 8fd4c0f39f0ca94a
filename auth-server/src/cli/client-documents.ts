/**
 * Owns `client-documents`: copies of the metadata documents of clients, fetched on a machine that can reach their hosts, for a
 * server that cannot.
 */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Command, type CommandGroup, type Invocation, UsageError } from '@mcp-oauth/shared/cli/command';
import { json, showList, timeOf } from '@mcp-oauth/shared/cli/list';
import { type Clock, seconds, systemClock } from '@mcp-oauth/shared/clock';
import { reasonOf } from '@mcp-oauth/shared/documents/remote-document';
import { StartError } from '@mcp-oauth/shared/errors';
import { createOutgoingFetch, type Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import { COPY_LIFETIME, endOf, fileNameOf, readCopies, textOf } from '../client-documents/copies.ts';
import { type Judge, parseAnswer, readMetadata } from '../client-documents/document.ts';
import { ClientDocumentError } from '../client-documents/document-error.ts';
import { readDocumentUrl } from '../client-documents/fetch/document-url.ts';
import type { Answer } from '../client-documents/fetch/get.ts';
import { copyFolderOf, hostPolicyOf } from '../client-documents/settings.ts';
import { withDocumentJudge } from '../compose/client-checks.ts';
import type { Config } from '../config.ts';
import { configOf } from './store.ts';

export const clientDocumentsCommands = (clock: Clock = systemClock): CommandGroup => ({
  name: 'client-documents',
  summary:
    'Copies of client metadata documents (CLIENT_METADATA_COPIES), for hosts that cannot be reached or refuse this server.',
  commands: [fetchCommand(clock), list(clock)],
});

const folder = {
  type: 'string',
  value: 'path',
  doc: 'Folder of the copies. Not set: CLIENT_METADATA_COPIES.',
} as const;

const fetchCommand = (clock: Clock): Command => ({
  name: 'fetch',
  summary: 'Read documents from their hosts and write them as copies. Existing copies are replaced.',
  details: `Run it on a machine that can reach the hosts, then put the files into the folder that CLIENT_METADATA_COPIES names on the server. Requests go through HTTPS_PROXY. A copy is used for at most ${COPY_LIFETIME / 86_400} days.`,
  parameters: ['url'],
  rest: 'url',
  options: { folder },
  run: async (invocation) => {
    const config = await configOf(invocation.env);
    const place = placeOf(invocation, config);
    await mkdir(place, { recursive: true });
    const fetch = createOutgoingFetch(config);
    const urls = [invocation.parameters.url ?? '', ...invocation.rest];
    return withDocumentJudge(config, async (judge) => {
      let status = 0;
      for (const url of urls) {
        try {
          const file = await copy(url, { config, fetch, judge, clock, place });
          invocation.stdout.write(`${url}: ${file}\n`);
        } catch (error) {
          if (!(error instanceof ClientDocumentError)) throw error;
          invocation.stderr.write(`auth-server: ${JSON.stringify(url)}: ${error.message}\n`);
          status = 1;
        }
      }
      return status;
    });
  },
});

interface Tools {
  readonly config: Config;
  readonly fetch: Fetch;
  readonly judge: Judge;
  readonly clock: Clock;
  readonly place: string;
}

/** Validates the document as the server does, so that an invalid copy is found now and not at a sign-in. */
async function copy(text: string, { config, fetch, judge, clock, place }: Tools): Promise<string> {
  const url = readDocumentUrl(text, hostPolicyOf(config));
  const document = parseAnswer(url, await ask(fetch, url));
  readMetadata(url, document, judge);
  const path = join(place, fileNameOf(url.href));
  const made = { clientId: url.href, fetchedAt: seconds(clock), document: document as Record<string, unknown> };
  await writeFile(`${path}.new`, textOf(made));
  await rename(`${path}.new`, path);
  return path;
}

const TIMEOUT = 10_000;
const LARGEST = 5 * 1_024;

/** The operator names the URL, so the request uses the proxy of the operator. */
async function ask(fetch: Fetch, url: URL): Promise<Answer> {
  const host = url.hostname;
  try {
    const headers = { accept: 'application/json', 'user-agent': 'mcp-oauth-server' };
    const response = await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT) });
    const body = await readBounded(response, host);
    return { status: response.status, headers: Object.fromEntries(response.headers), body };
  } catch (cause) {
    if (cause instanceof ClientDocumentError) throw cause;
    throw new ClientDocumentError('connection', { host, detail: reasonOf(cause), cause });
  }
}

async function readBounded(response: Response, host: string): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.byteLength;
    if (size > LARGEST) throw new ClientDocumentError('too_large', { host, detail: `more than ${LARGEST} bytes` });
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

const list = (clock: Clock): Command => ({
  name: 'list',
  summary: 'Show the copies in the folder with their expiry, and the files that are not copies.',
  options: { folder, json },
  run: async (invocation) => {
    const place = placeOf(invocation, await configOf(invocation.env));
    const { copies, odd } = await readCopies(place, clock).catch((cause: NodeJS.ErrnoException) => {
      throw new StartError(`the folder ${place} can't be read (${cause.code})`, { cause });
    });
    const rows = [...copies.values()].map((found) => ({
      client: found.clientId,
      fetched: timeOf(found.fetchedAt),
      ends: timeOf(endOf(found)),
      file: found.file,
    }));
    showList(invocation, rows, 'There are no copies. `client-documents fetch` makes one.');
    for (const { file, reason } of odd) invocation.stderr.write(`auth-server: ${file} is not a copy: ${reason}\n`);
    return odd.length > 0 ? 1 : 0;
  },
});

function placeOf({ options }: Invocation, config: Config): string {
  const place = typeof options.folder === 'string' ? resolve(options.folder) : copyFolderOf(config);
  if (place === undefined) throw new UsageError('name the folder of the copies: --folder, or CLIENT_METADATA_COPIES');
  return place;
}
