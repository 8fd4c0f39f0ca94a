/** Owns what a tool, a resource or a prompt can do while it runs, over the port to the era (MCP progress, logging, client features). */
import {
  type CreateMessageRequestParams,
  CreateMessageResultSchema,
  ListRootsResultSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { z } from 'zod';
import type { Call, ClientRequest } from '../call.ts';
import { type Context, type LogLevel, ToolError } from '../define.ts';
import { canFillForms, elicit } from './elicitation.ts';
import { MissingCapability } from './missing-capability.ts';
import type { MethodsParts } from './parts.ts';

type Surroundings = Pick<MethodsParts, 'clock' | 'status' | 'changes'>;

/** RFC 5424 §6.2.1, least severe first. */
const LEVELS: readonly LogLevel[] = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];

/** @param logger under which name its log messages go out */
export function createContext(call: Call, logger: string, { clock, status, changes }: Surroundings): Context {
  const { principal, progressToken, logLevel, capabilities } = call;
  const ask = <T>(request: ClientRequest, schema: z.ZodType<T>) => askClient(call, request, schema);
  return {
    principal,
    now: () => new Date(clock.now()),
    server: status,
    // Looked at when it is needed: most calls are over before, and an AbortController is not for free.
    get signal() {
      return call.signal;
    },
    progress: async (progress, total, message) => {
      if (progressToken === undefined) return;
      const params = { progressToken, progress, ...(total !== undefined && { total }), ...(message && { message }) };
      await call.notify({ method: 'notifications/progress', params });
    },
    log: async (level, data) => {
      if (logLevel === undefined || LEVELS.indexOf(level) < LEVELS.indexOf(logLevel)) return;
      await call.notify({ method: 'notifications/message', params: { level, logger, data } });
    },
    elicit: async (message, schema, key) => {
      if (!canFillForms(capabilities)) throw new MissingCapability(NOBODY_TO_ASK, { elicitation: { form: {} } });
      return elicit(ask, { message, schema, key });
    },
    sample: async (request, key) => {
      requireModel(call, request);
      const params = { ...request };
      return ask({ method: 'sampling/createMessage', params, ...(key && { key }) }, CreateMessageResultSchema);
    },
    roots: async (key) => {
      if (!capabilities.roots) throw new MissingCapability(NO_ROOTS, { roots: {} });
      return (await ask({ method: 'roots/list', params: {}, ...(key && { key }) }, ListRootsResultSchema)).roots;
    },
    announce: (change) => changes.announce(change),
    releaseConnection: () => call.releaseConnection(),
  };
}

const NOBODY_TO_ASK = 'This has to ask the user a question, but the client does not support elicitation.';
const NO_MODEL = 'This needs the model of the client, but the client does not support sampling.';
const NO_TOOLS = 'This needs the model of the client to use tools, but the client does not support that in sampling.';
const NO_ROOTS = 'This has to know the folders of the client, but the client does not tell its roots.';

function requireModel({ capabilities: { sampling } }: Call, { tools, toolChoice }: CreateMessageRequestParams): void {
  if (!sampling) throw new MissingCapability(NO_MODEL, { sampling: {} });
  const usesTools = tools !== undefined || toolChoice !== undefined;
  if (usesTools && !sampling.tools) throw new MissingCapability(NO_TOOLS, { sampling: { tools: {} } });
}

const NO_ANSWER: Readonly<Record<ClientRequest['method'], string>> = {
  'elicitation/create': 'The question could not be put to the user, or nobody answered it in time.',
  'sampling/createMessage': 'The model of the client could not be asked, or gave no answer in time.',
  'roots/list': 'The client did not tell its folders.',
};

/** @throws ToolError when nobody answers, or the answer is none */
async function askClient<T>(call: Call, request: ClientRequest, schema: z.ZodType<T>): Promise<T> {
  const answer = await call.ask(request).catch((cause: unknown) => {
    throw new ToolError(NO_ANSWER[request.method], { cause });
  });
  const { success, data } = schema.safeParse(answer);
  if (success) return data;
  throw new ToolError(`What the client answered to ${request.method} can not be read.`);
}
