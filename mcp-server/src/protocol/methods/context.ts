/**
 * Owns the context of a running tool, resource or prompt, on top of the port to the era (MCP progress, logging,
 * client features).
 */
import {
  type CreateMessageRequestParams,
  type CreateMessageResult,
  CreateMessageResultSchema,
  CreateMessageResultWithToolsSchema,
  ListRootsResultSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { z } from 'zod';
import type { Call, ClientRequest } from '../call.ts';
import { type Context, ToolError } from '../define.ts';
import {
  logData,
  meetsLevel,
  requireChange,
  requireKey,
  requireProgress,
  requireQuestion,
  samplingRequest,
} from './content/author-input.ts';
import type { MethodsDependencies } from './dependencies.ts';
import { canFillForms, elicit } from './questions/elicitation.ts';
import { MissingCapability } from './questions/missing-capability.ts';
import { type ForPersonDependencies, fetchAt, tokenAt } from './upstreams/for-person.ts';
import { whileItRuns } from './upstreams/running.ts';

type ContextDependencies = Pick<MethodsDependencies, keyof ForPersonDependencies | 'status' | 'changes'>;

/** @param logger name of the logger in log messages to the client */
export const createContext = (call: Call, logger: string, dependencies: ContextDependencies): Context =>
  new RunningContext(call, logger, dependencies);

/** Creates each function when it is read: most tools need few of them, and every call pays for this. */
class RunningContext implements Context {
  readonly #call: Call;
  readonly #logger: string;
  readonly #dependencies: ContextDependencies;

  constructor(call: Call, logger: string, dependencies: ContextDependencies) {
    this.#call = call;
    this.#logger = logger;
    this.#dependencies = dependencies;
  }

  get principal(): Context['principal'] {
    return this.#call.principal;
  }

  get signal(): Context['signal'] {
    return this.#call.signal;
  }

  get now(): Context['now'] {
    return () => new Date(this.#dependencies.clock.now());
  }

  get server(): Context['server'] {
    return this.#dependencies.status;
  }

  get progress(): Context['progress'] {
    const { progressToken } = this.#call;
    return handled(async (progress, total, message) => {
      requireProgress(progress, total, message);
      if (progressToken === undefined) return;
      const params = { progressToken, progress, ...(total !== undefined && { total }), ...(message && { message }) };
      const sent = this.#call.notify({ method: 'notifications/progress', params });
      if (sent) await sent;
    });
  }

  get log(): Context['log'] {
    const { logLevel } = this.#call;
    return handled(async (level, data) => {
      if (!meetsLevel(level, logLevel)) return;
      const params = { level, logger: this.#logger, data: logData(data) };
      const sent = this.#call.notify({ method: 'notifications/message', params });
      if (sent) await sent;
    });
  }

  get elicit(): Context['elicit'] {
    return handled(async (message, schema, key) => {
      requireQuestion(message, schema, key);
      const able = canFillForms(this.#call.capabilities);
      if (!able) throw new MissingCapability(NOBODY_TO_ASK, { elicitation: { form: {} } });
      return elicit((request, answer) => askClient(this.#call, request, answer), { message, schema, key });
    });
  }

  get sample(): Context['sample'] {
    return handled(async (request: CreateMessageRequestParams, key?: string) => {
      requireKey(key);
      requireModel(this.#call, request);
      const schema = usesTools(request) ? CreateMessageResultWithToolsSchema : CreateMessageResultSchema;
      const asked: ClientRequest = {
        method: 'sampling/createMessage',
        params: { ...samplingRequest(request) },
        ...(key && { key }),
      };
      // The request decides which of the two schemas applies, as do the overloads.
      return askClient<CreateMessageResult>(this.#call, asked, schema as typeof CreateMessageResultSchema);
    });
  }

  get roots(): Context['roots'] {
    return handled(async (key) => {
      requireKey(key);
      if (!this.#call.capabilities.roots) throw new MissingCapability(NO_ROOTS, { roots: {} });
      const asked: ClientRequest = { method: 'roots/list', params: {}, ...(key && { key }) };
      return (await askClient(this.#call, asked, ListRootsResultSchema)).roots;
    });
  }

  get upstream(): Context['upstream'] {
    return attended((...given) => whileItRuns(this.#call, tokenAt(this.#call, this.#dependencies, ...given)));
  }

  get fetch(): Context['fetch'] {
    return attended((...given) => whileItRuns(this.#call, fetchAt(this.#call, this.#dependencies, ...given)));
  }

  get announce(): Context['announce'] {
    return handled(async (change) => {
      requireChange(change);
      await this.#dependencies.changes.announce(change);
    });
  }

  get releaseConnection(): Context['releaseConnection'] {
    return handled(() => this.#call.releaseConnection());
  }
}

/** Marks the promise as handled: a tool that does not await it must not crash the process. */
const handled =
  <A extends unknown[], T>(ability: (...args: A) => Promise<T>) =>
  (...args: A): Promise<T> => {
    const done = ability(...args);
    done.catch(() => {});
    return done;
  };

/**
 * Like `handled`, and also for promises that `then` and `catch` derive from it: a tool may await something else when its request fails
 * because the client has left.
 */
const attended =
  <A extends unknown[], T>(ability: (...args: A) => Promise<T>) =>
  (...args: A): Promise<T> =>
    withHandledChain(ability(...args));

function withHandledChain<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  const then = (...given: Parameters<typeof promise.then>) =>
    withHandledChain(Promise.prototype.then.apply(promise, given));
  return Object.assign(promise, { then });
}

const NOBODY_TO_ASK = 'This has to ask the user a question, but the client does not support elicitation.';
const NO_MODEL = 'This needs the model of the client, but the client does not support sampling.';
const NO_TOOLS = 'This needs the model of the client to use tools, but the client does not support that in sampling.';
const NO_ROOTS = 'This needs the folders of the client, but the client does not support roots.';

const usesTools = ({ tools, toolChoice }: CreateMessageRequestParams): boolean =>
  tools !== undefined || toolChoice !== undefined;

function requireModel({ capabilities: { sampling } }: Call, request: CreateMessageRequestParams): void {
  if (!sampling) throw new MissingCapability(NO_MODEL, { sampling: {} });
  if (usesTools(request) && !sampling.tools) throw new MissingCapability(NO_TOOLS, { sampling: { tools: {} } });
}

const NO_ANSWER: Readonly<Record<ClientRequest['method'], string>> = {
  'elicitation/create': 'The user could not be asked, or did not answer in time.',
  'sampling/createMessage': 'The model of the client could not be asked, or did not answer in time.',
  'roots/list': 'The client did not return its folders.',
};

/** @throws ToolError when the client does not respond, or its response is invalid */
async function askClient<T>(call: Call, request: ClientRequest, schema: z.ZodType<T>): Promise<T> {
  const answer = await call.ask(request).catch((cause: unknown) => {
    throw new ToolError(NO_ANSWER[request.method], { cause });
  });
  const { success, data } = schema.safeParse(answer);
  if (success) return data;
  throw new ToolError(`The client sent an invalid response to ${request.method}.`);
}
