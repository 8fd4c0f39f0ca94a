/** Owns what each command does at a server, and with the sign-in there. */
import { UsageError } from '@mcp-oauth/shared/cli/command';
import { isObject } from '@mcp-oauth/shared/json';
import { plainHttpOutside } from '@mcp-oauth/shared/network/internal-host';
import type { Output } from '@mcp-oauth/shared/service';
import type { Environment } from '@mcp-oauth/shared/settings/config';
import type { Client, JSONObject } from '@modelcontextprotocol/client';
import { authorize, type SignInDependencies } from '../sign-in/authorize.ts';
import { secretsOf } from '../sign-in/grant.ts';
import { revoke } from '../sign-in/renew.ts';
import type { TokenFile } from '../tokens/token-file.ts';
import { argumentsOf } from './arguments.ts';
import { connect } from './connection.ts';
import { STATUS } from './failure.ts';
import { fillIn } from './form.ts';
import type { Screen } from './screen.ts';
import { barOf, contentsOf, listOf, messagesOf, resultOf } from './show.ts';
import { announce, watch } from './watch.ts';

export interface Task {
  readonly verb: 'list' | 'call' | 'read' | 'prompt' | 'watch' | 'login' | 'logout';
  readonly url: URL;
  /** The tool, resource or prompt. */
  readonly subject: string;
  readonly words: readonly string[];
  readonly json: boolean;
  /** Milliseconds. */
  readonly timeout: number;
  readonly revision: string | undefined;
  readonly folder: string | undefined;
  readonly login: {
    readonly device: boolean;
    readonly browser: boolean;
    readonly scope: string | undefined;
    readonly clientId: string | undefined;
  };
  readonly env: Environment;
  readonly stdout: Output;
  readonly stderr: Output;
}

/** What a run is given by the process. */
export interface PerformDependencies {
  readonly signIn: (env: Environment) => SignInDependencies;
  readonly home: string;
  readonly version: string;
  readonly unique: () => string;
  readonly isTerminal: boolean;
  /** @returns the next line of standard input; undefined at its end */
  readonly readLine: () => Promise<string | undefined>;
  /** @throws if the file can't be read. `-` is standard input. */
  readonly readFile: (path: string) => Promise<string>;
  readonly interrupted: (env: Environment) => Promise<void>;
}

export type Run = Task &
  PerformDependencies & { readonly screen: Screen; readonly file: TokenFile; readonly access: SignInDependencies };

/** Connects, asks, and ends the session. */
async function at<T>(
  run: Run,
  ask: (client: Client, revision: string) => Promise<T>,
  prepare?: (client: Client) => void,
): Promise<T> {
  const { url, file, access, version, revision, screen, words, json, readLine } = run;
  // Standard input can't hold the arguments and the answers.
  const isAlone = json || words.includes('-');
  const question = async (text: string) => {
    screen.ask(text);
    return readLine();
  };
  await using connection = await connect(
    {
      url,
      file,
      fetch: access.fetch,
      version,
      revision,
      timeout: run.timeout,
      hide: screen.hide,
      fillIn: async (form) => (isAlone ? { action: 'decline' } : fillIn(form, url.host, question)),
    },
    prepare,
  );
  // Awaited here: the connection ends with this function.
  return await ask(connection.client, connection.revision);
}

const list = (run: Run): Promise<number> =>
  at(run, async (client, revision) => {
    const { timeout, screen } = run;
    const [{ tools }, { resources }, { resourceTemplates: templates }, { prompts }] = await Promise.all([
      client.listTools({}, { timeout }),
      client.listResources({}, { timeout }),
      client.listResourceTemplates({}, { timeout }),
      client.listPrompts({}, { timeout }),
    ]);
    const { name = 'A server without a name', version = '' } = client.getServerVersion() ?? {};
    const server = `${name} ${version}`.trim();
    const offered = { server, revision, tools, resources, templates, prompts };
    screen.result(listOf(offered), offered);
    return 0;
  });

const call = (run: Run): Promise<number> =>
  at(run, async (client) => {
    const { subject: name, words, readFile, timeout, screen, json } = run;
    const tool = (await client.listTools({}, { timeout })).tools.find((candidate) => candidate.name === name);
    if (!tool) throw new UsageError(`there is no tool ${JSON.stringify(name)}: npm run client -- ${run.url.href}`);
    const given = await argumentsOf(words, isObject(tool.inputSchema) ? tool.inputSchema : {}, readFile);
    const result = await client.callTool(
      { name, arguments: given as JSONObject },
      {
        toolDefinition: tool,
        timeout,
        resetTimeoutOnProgress: true,
        ...(!json && { onprogress: (progress) => isOfServer(progress) && screen.redraw(barOf(progress)) }),
      },
    );
    screen.result(resultOf(result), result);
    return result.isError ? STATUS.refused : 0;
  });

/** In revisions without sessions the SDK reports each round of questions as progress of its own. */
const isOfServer = ({ message }: { readonly message?: string | undefined }): boolean =>
  !message?.startsWith('Fulfilling input required by');

const read = (run: Run): Promise<number> =>
  at(run, async (client) => {
    const result = await client.readResource({ uri: run.subject }, { timeout: run.timeout });
    run.screen.result(contentsOf(result), result);
    return 0;
  });

const prompt = (run: Run): Promise<number> =>
  at(run, async (client) => {
    const { subject: name, words, readFile, timeout, screen } = run;
    const found = (await client.listPrompts({}, { timeout })).prompts.find((candidate) => candidate.name === name);
    if (!found) throw new UsageError(`there is no prompt ${JSON.stringify(name)}: npm run client -- ${run.url.href}`);
    const fields = found.arguments ?? [];
    const properties = Object.fromEntries(fields.map((field) => [field.name, { type: 'string' }]));
    const required = fields.filter((field) => field.required).map((field) => field.name);
    const given = await argumentsOf(words, { properties, required }, readFile);
    const texts = Object.fromEntries(Object.entries(given).map(([key, value]) => [key, String(value)]));
    const result = await client.getPrompt({ name, arguments: texts }, { timeout });
    screen.result(messagesOf(result), result);
    return 0;
  });

const follow = (run: Run): Promise<number> =>
  at(
    run,
    async (client) => {
      const { words: uris, interrupted, screen } = run;
      if (await watch(client, { uris, interrupted: interrupted(run.env) }, screen)) return 0;
      screen.say('client: the server has ended the stream');
      return STATUS.unreachable;
    },
    (client) => announce(client, run.screen),
  );

async function login({ url, login: wish, file, access, screen }: Run): Promise<number> {
  const { say, hide } = screen;
  const problem = plainHttpOutside(url.href);
  if (problem) throw new UsageError(`<url> ${problem}: others could read the token`);
  const last = await file.read();
  const grant = await authorize(url, { ...wish, name: 'mcp-oauth-client', last, say }, access);
  hide(secretsOf(grant));
  await file.update(async () => grant);
  const { scope } = grant.tokens;
  const seen = { issuer: grant.issuer, ...(scope !== undefined && { scope }), file: file.path };
  screen.result(
    `Signed in by ${grant.issuer}${scope === undefined ? '' : `, for ${scope}`}.\nThe tokens are in ${file.path}`,
    seen,
  );
  return 0;
}

async function logout({ file, access, screen }: Run): Promise<number> {
  let revoked: boolean | undefined;
  if (await file.read())
    await file.update(async (grant) => {
      revoked = grant && (await revoke(grant, access.fetch));
      return undefined;
    });
  const kept = 'Signed out here. The authorization server did not revoke the tokens: they end by themselves.';
  const said = revoked === undefined ? 'Nobody is signed in.' : revoked ? 'Signed out: the tokens are revoked.' : kept;
  screen.result(said, { revoked: revoked ?? false });
  return 0;
}

/** @returns the exit status */
export const RUNS: Readonly<Record<Task['verb'], (run: Run) => Promise<number>>> = {
  list,
  call,
  read,
  prompt,
  watch: follow,
  login,
  logout,
};
