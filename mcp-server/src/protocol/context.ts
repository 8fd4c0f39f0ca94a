/** Owns what a tool can do while it runs, over the SDK's request context (MCP progress, logging, elicitation). */

import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  type ClientCapabilities,
  type ElicitRequestFormParams,
  ElicitResultSchema,
  type ServerNotification,
  type ServerRequest,
} from '@modelcontextprotocol/sdk/types.js';
import type { z } from 'zod';
import type { Principal } from '../authorization/principal.ts';
import { objectSchema } from './catalog.ts';
import { type Context, type Elicited, type LogLevel, type ServerStatus, ToolError } from './define.ts';

export type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

/** What a call knows beyond its own request. */
export interface CallSurroundings {
  readonly principal: Principal;
  readonly tool: string;
  readonly capabilities: ClientCapabilities | undefined;
  /** The least severe level that the client wants. */
  readonly logLevel: LogLevel;
  readonly now: () => Date;
  readonly server: () => Promise<ServerStatus>;
}

/** RFC 5424 §6.2.1, least severe first. */
const LEVELS: readonly LogLevel[] = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];

/** A person needs time to read; a call must not hang for ever. */
const ELICITATION_TIMEOUT = 5 * 60_000;

export function createContext(extra: Extra, call: CallSurroundings): Context {
  const progressToken = extra._meta?.progressToken;
  return {
    principal: call.principal,
    now: call.now,
    server: call.server,
    signal: extra.signal,
    progress: async (progress, total, message) => {
      if (progressToken === undefined) return;
      const params = { progressToken, progress, ...(total !== undefined && { total }), ...(message && { message }) };
      await extra.sendNotification({ method: 'notifications/progress', params });
    },
    log: async (level, data) => {
      if (LEVELS.indexOf(level) < LEVELS.indexOf(call.logLevel)) return;
      await extra.sendNotification({ method: 'notifications/message', params: { level, logger: call.tool, data } });
    },
    elicit: (message, schema) => elicit(extra, call.capabilities, message, schema),
    sample: () => unavailable('sampling'),
    roots: () => unavailable('roots'),
    announce: () => unavailable('changes'),
    releaseConnection: async () => {},
  };
}

const unavailable = (what: string) =>
  Promise.reject(new ToolError(`This tool needs ${what}, which does not work here.`));

/**
 * Goes out through `extra.sendRequest`, on the stream of the call that asks: the SDK's `elicitInput` would use the
 * standalone stream and wait for ever where there is none.
 */
async function elicit<S extends z.ZodObject>(
  extra: Extra,
  capabilities: ClientCapabilities | undefined,
  message: string,
  schema: S,
): Promise<Elicited<z.infer<S>>> {
  if (!canAsk(capabilities)) {
    throw new ToolError('This tool has to ask the user a question, but the client does not support elicitation.');
  }
  const params = { message, requestedSchema: formSchema(schema) };
  const answer = await extra
    .sendRequest({ method: 'elicitation/create', params }, ElicitResultSchema, {
      signal: extra.signal,
      timeout: ELICITATION_TIMEOUT,
    })
    .catch((cause: unknown) => {
      throw new ToolError('The question could not be put to the user, or nobody answered it in time.', { cause });
    });
  if (answer.action !== 'accept') return { action: answer.action };
  const content = schema.safeParse(answer.content ?? {});
  if (!content.success) throw new ToolError('The answer that came back does not fit the question.');
  return { action: 'accept', content: content.data };
}

/** An empty elicitation capability means forms; one that names only `url` does not. */
function canAsk(capabilities: ClientCapabilities | undefined): boolean {
  const elicitation = capabilities?.elicitation;
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined);
}

const forms = new WeakMap<z.ZodObject, ElicitRequestFormParams['requestedSchema']>();

/** MCP elicitation takes a restricted JSON Schema: one flat object of strings, numbers, booleans and enumerations. */
function formSchema(schema: z.ZodObject): ElicitRequestFormParams['requestedSchema'] {
  const known = forms.get(schema);
  if (known) return known;
  const { type, properties, required } = objectSchema(
    schema,
    'input',
  ) as unknown as ElicitRequestFormParams['requestedSchema'];
  for (const [name, property] of Object.entries(properties)) {
    if (!['string', 'number', 'integer', 'boolean'].includes(property.type)) {
      throw new TypeError(`"${name}" is not flat: an elicitation can only ask for strings, numbers and booleans`);
    }
  }
  const form = { type, properties, ...(required && { required }) };
  forms.set(schema, form);
  return form;
}
