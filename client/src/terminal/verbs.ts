/** Owns what each command does at a server. */
import { UsageError } from '@mcp-oauth/shared/cli/command';
import { isObject } from '@mcp-oauth/shared/json';
import { type JSONObject, ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/client';
import { argumentsOf } from './arguments.ts';
import { at } from './connection/asking.ts';
import { STATUS } from './failure.ts';
import { login, logout } from './login.ts';
import type { Run, Task } from './run.ts';
import { barOf, contentsOf, listOf, messagesOf, resultOf } from './show.ts';
import { announce, watch } from './watch.ts';

const list = (run: Run): Promise<number> =>
  at(run, async ({ client, revision, options }) => {
    const { screen } = run;
    const has = client.getServerCapabilities() ?? {};
    const [tools, resources, templates, prompts] = await Promise.all([
      offeredBy(has.tools, async () => (await client.listTools({}, options)).tools),
      offeredBy(has.resources, async () => (await client.listResources({}, options)).resources),
      offeredBy(has.resources, async () => (await client.listResourceTemplates({}, options)).resourceTemplates),
      offeredBy(has.prompts, async () => (await client.listPrompts({}, options)).prompts),
    ]);
    const { name = 'A server without a name', version = '' } = client.getServerVersion() ?? {};
    const server = `${name} ${version}`.trim();
    const offered = { server, revision, tools, resources, templates, prompts };
    screen.result(listOf(offered), offered);
    return 0;
  });

/** Without the capability the SDK asks nothing, and writes so to standard output. Not every server has every list. */
async function offeredBy<T>(capability: unknown, ask: () => Promise<T[]>): Promise<T[]> {
  if (capability === undefined) return [];
  return ask().catch((error: unknown) => {
    if (error instanceof ProtocolError && error.code === ProtocolErrorCode.MethodNotFound) return [];
    throw error;
  });
}

const call = (run: Run): Promise<number> =>
  at(run, async ({ client, options, patiently }) => {
    const { subject: name, words, readFile, screen, json } = run;
    const has = client.getServerCapabilities() ?? {};
    const tools = await offeredBy(has.tools, async () => (await client.listTools({}, options)).tools);
    const tool = tools.find((candidate) => candidate.name === name);
    if (!tool) throw new UsageError(`there is no tool ${JSON.stringify(name)}: npm run client -- ${run.url.href}`);
    const values = await argumentsOf(words, isObject(tool.inputSchema) ? tool.inputSchema : {}, readFile);
    const result = await patiently((given) =>
      client.callTool(
        { name, arguments: values as JSONObject },
        {
          ...given,
          toolDefinition: tool,
          onprogress: (progress) => {
            given.onprogress?.(progress);
            if (!json && isOfServer(progress)) screen.redraw(barOf(progress));
          },
        },
      ),
    );
    screen.result(resultOf(result), result);
    return result.isError ? STATUS.refused : 0;
  });

/** In revisions without sessions the SDK reports each round of questions as progress of its own. */
const isOfServer = ({ message }: { readonly message?: string | undefined }): boolean =>
  !message?.startsWith('Fulfilling input required by');

const read = (run: Run): Promise<number> =>
  at(run, async ({ client, patiently }) => {
    const result = await patiently((given) => client.readResource({ uri: run.subject }, given));
    run.screen.result(contentsOf(result), result);
    return 0;
  });

const prompt = (run: Run): Promise<number> =>
  at(run, async ({ client, options, patiently }) => {
    const { subject: name, words, readFile, screen } = run;
    const has = client.getServerCapabilities() ?? {};
    const prompts = await offeredBy(has.prompts, async () => (await client.listPrompts({}, options)).prompts);
    const found = prompts.find((candidate) => candidate.name === name);
    if (!found) throw new UsageError(`there is no prompt ${JSON.stringify(name)}: npm run client -- ${run.url.href}`);
    const fields = found.arguments ?? [];
    const properties = Object.fromEntries(fields.map((field) => [field.name, { type: 'string' }]));
    const required = fields.filter((field) => field.required).map((field) => field.name);
    const given = await argumentsOf(words, { properties, required }, readFile);
    const texts = Object.fromEntries(Object.entries(given).map(([key, value]) => [key, String(value)]));
    const result = await patiently((asked) => client.getPrompt({ name, arguments: texts }, asked));
    screen.result(messagesOf(result), result);
    return 0;
  });

const follow = (run: Run): Promise<number> =>
  at(
    run,
    async ({ client, interrupted }) => {
      const { words: uris, screen } = run;
      if (await watch(client, { uris, interrupted }, screen)) return 0;
      screen.say('client: the server has ended the stream');
      return STATUS.unreachable;
    },
    (client) => announce(client, run.screen),
  );

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
