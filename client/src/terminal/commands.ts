/** Owns the commands at one server: their words and options. The URL comes first, as in `client <url> call <tool>`. */
import { type Command, type Invocation, type Option, UsageError } from '@mcp-oauth/shared/cli/command';
import { json } from '@mcp-oauth/shared/cli/list';
import { plainHttpOutside } from '@mcp-oauth/shared/network/internal-host';
import type { EnterpriseWish } from '../enterprise/authorize.ts';
import { CLIENT_KEY, CLIENT_SECRET_FILE, serverUrl, textOf, timeoutOf } from '../options.ts';
import { AT_IDENTITY_PROVIDER, secretPlaceOf } from '../sign-in/client/secret.ts';
import type { Task } from './run.ts';

/** @returns the exit status */
export type Perform = (task: Task) => Promise<number>;

const DEFAULT_TIMEOUT = '300';
const MOST_SECONDS = 24 * 60 * 60;

const general: Readonly<Record<string, Option>> = {
  json,
  tokens: { type: 'string', value: 'folder', doc: 'Where sign-ins are kept (mcp-oauth-client in $XDG_CONFIG_HOME).' },
  timeout: { type: 'string', value: 'seconds', doc: `How long an answer may take (${DEFAULT_TIMEOUT}).` },
  revision: {
    type: 'string',
    value: 'date',
    doc: 'A revision of MCP, such as 2025-11-25 (the newest that both speak).',
  },
};

const login: Readonly<Record<string, Option>> = {
  device: { type: 'boolean', doc: 'Show a code for a browser on another device (RFC 8628).' },
  'no-browser': { type: 'boolean', doc: 'Print the URL, and open no browser.' },
  scope: { type: 'string', value: 'scopes', doc: 'Scopes besides those that the server asks for.' },
  'client-id': { type: 'string', value: 'id', doc: 'A client that is known to the authorization server.' },
  issuer: { type: 'string', value: 'url', doc: 'Which authorization server, if the server names several (the first).' },
  'client-secret-file': CLIENT_SECRET_FILE,
  'client-key': CLIENT_KEY,
  'client-credentials': {
    type: 'boolean',
    doc: 'With --client-id: sign in as this client itself, without a person (RFC 6749 §4.4).',
  },
  port: { type: 'string', value: 'number', doc: 'The port of the redirect URI, for a server that knows one only.' },
  enterprise: { type: 'boolean', doc: 'Sign in at the identity provider of your enterprise, without a consent page.' },
  idp: { type: 'string', value: 'url', doc: 'With --enterprise: the issuer of the identity provider.' },
  'idp-client-id': { type: 'string', value: 'id', doc: 'With --enterprise: the client at the identity provider.' },
  'idp-client-secret-file': {
    type: 'string',
    value: 'path',
    doc: 'With --idp-client-id: the secret of that client (or in MCP_IDP_CLIENT_SECRET).',
  },
  'idp-client-key': {
    type: 'string',
    value: 'path',
    doc: 'With --idp-client-id: its private key for private_key_jwt, PEM or a JWK.',
  },
};

const logout: Readonly<Record<string, Option>> = {
  enterprise: { type: 'boolean', doc: 'End the sign-in at the identity provider too.' },
};

const STATUS =
  'Exit status: 0 done, 1 the server or the tool refuses, 2 wrong command line or arguments, 3 a sign-in is needed, 4 no answer, 5 a person is needed.';
const CHANGES = 'Changes of the resources <uri> are told too. Log messages exist only before revision 2026-07-28.';
const VALUES =
  'Arguments are key=value, typed by the schema of the tool; @file.json, or - for standard input, gives a JSON object.';

interface Row extends Partial<Omit<Command, 'run'>> {
  readonly name: Task['verb'];
  readonly summary: string;
}

const TABLE: readonly Row[] = [
  { name: 'list', summary: 'List the tools, resources and prompts of an MCP server.' },
  { name: 'call', summary: 'Call a tool.', parameters: ['tool'], rest: 'key=value', details: VALUES },
  { name: 'read', summary: 'Read a resource.', parameters: ['uri'] },
  { name: 'prompt', summary: 'Get a prompt.', parameters: ['prompt'], rest: 'key=value' },
  { name: 'watch', summary: 'Print what the server tells by itself, until Ctrl-C.', rest: 'uri', details: CHANGES },
  { name: 'login', summary: 'Sign in, and keep the tokens for the other commands.', options: login },
  { name: 'logout', summary: 'Revoke the tokens of an MCP server, and delete them here.', options: logout },
];

export const terminalCommands = (perform: Perform): readonly Command[] =>
  TABLE.map(({ name, parameters = [], options, details, ...row }) => ({
    ...row,
    name,
    parameters: ['url', ...parameters],
    options: { ...options, ...general },
    details: [details, STATUS].filter(Boolean).join('\n'),
    run: (invocation) => perform(taskOf(name, invocation)),
  }));

function taskOf(verb: Task['verb'], invocation: Invocation): Task {
  const { parameters, rest, options, env, stdout, stderr } = invocation;
  const { url, ...others } = parameters;
  const [subject] = Object.values(others);
  const revision = textOf(options.revision);
  const clientId = textOf(options['client-id']);
  if (revision !== undefined && !/^\d{4}-\d\d-\d\d$/.test(revision)) {
    throw new UsageError('--revision must be a date, such as 2025-11-25');
  }
  return {
    verb,
    url: serverUrl(url),
    subject: subject ?? '',
    words: rest,
    json: options.json === true,
    timeout: timeoutOf(options.timeout, DEFAULT_TIMEOUT, MOST_SECONDS),
    revision,
    folder: textOf(options.tokens),
    login: {
      device: options.device === true,
      machine: options['client-credentials'] === true ? true : undefined,
      browser: options['no-browser'] !== true,
      scope: textOf(options.scope),
      issuer: textOf(options.issuer),
      clientId,
      secret: secretPlaceOf(clientId, placesOf(options, 'client'), env),
      port: portOf(options.port),
      enterprise: enterpriseOf(invocation),
    },
    env,
    stdout,
    stderr,
  };
}

function portOf(value: unknown): number | undefined {
  const text = textOf(value);
  if (text === undefined) return undefined;
  if (!/^\d{1,5}$/.test(text) || Number(text) < 1 || Number(text) > 65_535)
    throw new UsageError('--port must be between 1 and 65535');
  return Number(text);
}

function enterpriseOf({ options, env }: Invocation): EnterpriseWish | undefined {
  const [idp, clientId] = [textOf(options.idp), textOf(options['idp-client-id'])];
  const secret = secretPlaceOf(clientId, placesOf(options, 'idp-client'), env, AT_IDENTITY_PROVIDER);
  if (options.enterprise) {
    if (options['client-credentials'])
      throw new UsageError('--enterprise is for people, --client-credentials for programs');
    return { idp: idp === undefined ? undefined : issuerOf(idp), clientId, secret };
  }
  if (idp !== undefined || clientId !== undefined) throw new UsageError('--idp and --idp-client-id need --enterprise');
  return undefined;
}

const placesOf = (options: Invocation['options'], prefix: string) => ({
  file: textOf(options[`${prefix}-secret-file`]),
  key: textOf(options[`${prefix}-key`]),
});

/** Exactly as it was written: issuers are compared as texts (RFC 8414 §3.3). */
function issuerOf(text: string): string {
  const url = URL.parse(text);
  const isPlain = url && /^https?:$/.test(url.protocol) && !url.search && !url.hash && !url.username && !url.password;
  if (!isPlain || plainHttpOutside(text) !== undefined)
    throw new UsageError('--idp must be the https URL of an issuer');
  return text;
}

/** Puts the command before the URL. Without a command, `list` is meant. */
export function withCommandFirst(words: readonly string[], known: readonly string[]): readonly string[] {
  const url = words.findIndex((word) => /^https?:\/\//i.test(word));
  if (url < 0 || known.includes(words[0] ?? '')) return words;
  const next = words[url + 1];
  const isNamed = next !== undefined && !next.startsWith('-');
  const rest = words.slice(url + (isNamed ? 2 : 1));
  return [isNamed ? next : 'list', ...words.slice(0, url), words[url] ?? '', ...rest];
}
