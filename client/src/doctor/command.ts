/** Owns `doctor`: its options, and its exit status. 0 is a server without a fault, 1 one with a fault, 2 a wrong command line. */
import { type Command, type Invocation, UsageError } from '@mcp-oauth/shared/cli/command';
import { json } from '@mcp-oauth/shared/cli/list';
import { StartError } from '@mcp-oauth/shared/errors';
import type { Environment } from '@mcp-oauth/shared/settings/config';
import { visibleJson } from '@mcp-oauth/shared/text/terminal-text';
import { DOCTOR, PROFILES, PROGRAM } from '../clients/profiles.ts';
import { CLIENT_SECRET_FILE, serverUrl, textOf, timeoutOf } from '../options.ts';
import { readSecretIn, secretPlaceOf, spellingsOf } from '../sign-in/client/secret.ts';
import type { SignInOptions } from '../sign-in/sign-in.ts';
import { type Ask, withinReachOf, withoutSecrets } from './network/ask.ts';
import type { Connections } from './network/connection.ts';
import type { Listen } from './network/listen.ts';
import { asJson, cleaned, conclude, lineOf } from './report.ts';
import type { Known, SignedIn, StepDependencies } from './step.ts';
import { type Finding, walk } from './walk.ts';

/** What the command is given by the process. */
export interface DoctorDependencies {
  /** @param timeout milliseconds */
  readonly network: (env: Environment, timeout: number) => Connections & { readonly ask: Ask; readonly listen: Listen };
  readonly now: () => number;
  /** @throws if the file can't be read. `-` is standard input. */
  readonly readFile: (path: string) => Promise<string>;
  readonly signIn: (env: Environment, url: URL, options: SignInOptions) => Promise<SignedIn>;
}

const DEFAULT_TIMEOUT = '10';
const MOST_SECONDS = 300;
/** A run in which each answer takes its whole time ends after as many of them, without the sign-in. */
const MOST_ANSWERS = 20;
/** Where MCP Inspector stands. */
const ORIGIN = 'http://localhost:6274';

export const doctorCommand = (dependencies: DoctorDependencies): Command => ({
  name: 'doctor',
  summary: 'Say which step of connecting to an MCP server fails, and how to fix it.',
  details:
    'Sends the requests of a client, in their order, to any MCP server over HTTP. Without options they change nothing there.\nExit status: 0 no fault, 1 a fault, 2 a wrong command line.',
  parameters: ['url'],
  options: {
    login: { type: 'boolean', doc: 'Sign in with the browser, then call the server with the token.' },
    device: { type: 'boolean', doc: 'With --login: show a code for a browser on another device (RFC 8628).' },
    'no-browser': { type: 'boolean', doc: 'With --login: print the URL, and open no browser.' },
    call: { type: 'string', value: 'tool', doc: 'With --login: call this tool.' },
    arguments: { type: 'string', value: 'json', doc: 'With --call: the arguments of the tool.' },
    issuer: {
      type: 'string',
      value: 'url',
      doc: 'With --login: where to sign in, if the server names several issuers (the first without a fault).',
    },
    'client-id': { type: 'string', value: 'id', doc: 'A client that is known to the authorization server.' },
    'client-secret-file': CLIENT_SECRET_FILE,
    token: { type: 'string', value: 'token', doc: 'Explain this access token, and call the server with it.' },
    'token-file': { type: 'string', value: 'path', doc: 'The same from a file; - is standard input.' },
    as: {
      type: 'string',
      value: 'client',
      doc: `Imitate ${Object.keys(PROFILES).join(', ')}: its user agent and its registration.`,
    },
    origin: {
      type: 'string',
      value: 'origin',
      doc: `The origin of the web page that is tried (${ORIGIN}); none: no page.`,
    },
    timeout: { type: 'string', value: 'seconds', doc: `How long an answer may take (${DEFAULT_TIMEOUT}).` },
    json,
  },
  run: (invocation) => examine(invocation, dependencies),
});

async function examine(
  invocation: Invocation,
  { network, now, readFile, signIn }: DoctorDependencies,
): Promise<number> {
  const { env, options, stdout } = invocation;
  const url = serverUrl(invocation.parameters.url);
  const token = await tokenOf(invocation, readFile);
  const given: Known = {
    url,
    ...clientOf(options),
    clientId: textOf(options['client-id']),
    wanted: textOf(options.issuer),
    token,
  };
  const login = signInOptions(invocation);
  const { clientId = '' } = given;
  const credential = login?.secret && readSecretIn(env)(login.secret, clientId);
  const ofClient = credential && 'client_secret' in credential ? spellingsOf(clientId, credential.client_secret) : [];
  const secrets = [...secretsIn(token), ...ofClient];
  const hide = (more: readonly string[]): void => {
    secrets.push(...more);
  };
  const timeout = timeoutOf(options.timeout, DEFAULT_TIMEOUT, MOST_SECONDS);
  const { ask, listen, ...connections } = network(env, timeout);
  const dependencies: StepDependencies = {
    ...connections,
    ...withoutSecrets({ ask: withinReachOf(url, ask), listen }, secrets),
    now,
    ...(login && { signIn: (at, where) => signIn(env, at, { ...login, ...where, hide }) }),
  };
  const shown: Finding[] = [];
  if (!options.json) stdout.write(`${url.href}${options.as ? `, as ${given.client.name}` : ''}\n\n`);
  const { known } = await walk(dependencies, given, MOST_ANSWERS * timeout, (finding) => {
    secrets.push(...secretsIn(finding.learned?.token));
    const safe = cleaned(finding, secrets);
    shown.push(safe);
    if (!options.json) stdout.write(lineOf(safe));
  });
  await endSession(dependencies, known);
  const { healthy, sentence } = conclude(shown);
  stdout.write(options.json ? `${visibleJson(JSON.stringify(asJson(url, shown), null, 2))}\n` : `\n${sentence}\n`);
  return healthy ? 0 : 1;
}

/** A token, and its signature alone: without that the rest of a JWT is good for nothing. */
function secretsIn(token: string | undefined): string[] {
  const signature = token?.split('.')[2] ?? '';
  return [token ?? [], signature.length > 16 ? signature : []].flat();
}

/** The server may forget the session of this run. */
async function endSession({ ask }: StepDependencies, { url, session, token, client }: Known): Promise<void> {
  if (session === undefined) return;
  const headers = {
    authorization: token && `Bearer ${token}`,
    'mcp-session-id': session,
    'user-agent': client.userAgent,
  };
  await ask({ url, method: 'DELETE', headers });
}

function clientOf({ as, origin = ORIGIN }: Invocation['options']): Pick<Known, 'client' | 'origin'> {
  const profile = Object.hasOwn(PROFILES, String(as)) ? PROFILES[String(as)] : undefined;
  if (as !== undefined && !profile) throw new UsageError(`--as must be one of ${Object.keys(PROFILES).join(', ')}`);
  if (origin === 'none') return { client: profile ?? PROGRAM, origin: ORIGIN };
  if (typeof origin !== 'string' || URL.parse(origin)?.origin !== origin)
    throw new UsageError('--origin must be an origin, such as https://app.example.com');
  return { client: profile ?? DOCTOR, origin };
}

async function tokenOf({ options }: Invocation, readFile: DoctorDependencies['readFile']): Promise<string | undefined> {
  const file = textOf(options['token-file']);
  if (file !== undefined && options.token !== undefined) throw new UsageError('give either --token or --token-file');
  const text = file === undefined ? textOf(options.token) : await contentOf(file, readFile);
  const token = text?.trim().replace(/^Bearer\s+/i, '');
  // A header with a line break in it could not be sent.
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) throw new UsageError('the token must be one word');
  return token;
}

async function contentOf(file: string, readFile: DoctorDependencies['readFile']): Promise<string> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new StartError(`--token-file can't be read (${(error as Error).message})`);
  }
}

function signInOptions({ options, env, stderr }: Invocation): Omit<SignInOptions, 'hide'> | undefined {
  const call = textOf(options.call);
  const text = textOf(options.arguments);
  if (!options.login) {
    if (call !== undefined || text !== undefined || options.device)
      throw new UsageError('--call, --arguments and --device need --login');
    return undefined;
  }
  const say = (line: string): void => {
    stderr.write(`${visibleJson(line)}\n`);
  };
  return {
    say,
    browser: !options['no-browser'],
    device: options.device === true,
    secret: secretPlaceOf(textOf(options['client-id']), { file: textOf(options['client-secret-file']) }, env),
    ...(call !== undefined && { call: { name: call, input: inputOf(text) } }),
  };
}

function inputOf(text = '{}'): Readonly<Record<string, unknown>> {
  try {
    const input: unknown = JSON.parse(text);
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input as Record<string, unknown>;
  } catch {}
  throw new UsageError('--arguments must be a JSON object');
}
