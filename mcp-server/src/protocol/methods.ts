/** Owns the methods that every era serves alike, over the catalog (MCP server/tools). */
import type { Clock } from '@mcp-oauth/shared/clock';
import type { Logger } from '@mcp-oauth/shared/logger';
import { type CallToolRequest, ElicitResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { type Call, type Method, type Methods, RpcError } from './call.ts';
import type { Catalog } from './catalog.ts';
import { createContext, type Extra } from './context.ts';
import type { ServerStatus } from './define.ts';
import { callTool, listTools } from './server.ts';

export interface MethodsParts {
  readonly catalog: Catalog;
  readonly status: () => Promise<ServerStatus>;
  readonly clock: Clock;
  readonly log: Logger;
}

export function createMethods({ catalog, status, clock, log }: MethodsParts): Methods {
  const call: Method = (params, from) => {
    const given = params as CallToolRequest['params'];
    const entry = catalog.find(given.name);
    if (!entry) throw new RpcError(-32602, `Unknown tool: ${given.name}`);
    const context = createContext(extraOf(from), {
      principal: from.principal,
      tool: given.name,
      capabilities: from.capabilities,
      logLevel: from.logLevel ?? 'info',
      now: () => new Date(clock.now()),
      server: status,
    });
    return callTool(entry, given, context, log);
  };
  return new Map<string, Method>([
    ['tools/list', ({ cursor }) => listTools(catalog, cursor as string | undefined)],
    ['tools/call', call],
  ]);
}

const extraOf = ({ signal, progressToken, notify, ask }: Call): Extra =>
  ({
    signal,
    _meta: { progressToken },
    sendNotification: notify,
    sendRequest: async (request: Parameters<Call['ask']>[0]) => ElicitResultSchema.parse(await ask(request)),
  }) as unknown as Extra;
