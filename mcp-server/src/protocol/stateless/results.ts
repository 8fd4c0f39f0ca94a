/**
 * Owns the members that every result has in addition to those of its method: that it is complete, the server's
 * name, and the cache lifetime (MCP 2026-07-28 basic, "Responses", and server/utilities/caching).
 */
import { jsonText } from '@mcp-oauth/shared/text/json-text';
import { type Implementation, SERVER_INFO_META_KEY } from '@modelcontextprotocol/server';
import { LISTS, PreparedTexts } from '../wire/prepared-texts.ts';

interface ResultsOptions {
  readonly serverInfo: Implementation;
  readonly listScope: 'public' | 'private';
}

/** Writes a result as JSON text. */
export type WriteResult = (method: string, result: unknown) => string;

type Result = { readonly _meta?: object } & Readonly<Record<string, unknown>>;

/** Milliseconds for which a client may cache a list; subscribed clients learn of changes immediately. */
const FRESH = 60_000;

export function createResults({ serverInfo, listScope }: ResultsOptions): WriteResult {
  const identity = { [SERVER_INFO_META_KEY]: serverInfo };
  const lists = new Map(
    ['server/discover', ...LISTS].map((method) => [method, { ttlMs: FRESH, cacheScope: listScope }]),
  );
  const contents = { ttlMs: 0, cacheScope: 'private' };
  const prepared = new PreparedTexts();
  const write = (result: Result, hints?: object) =>
    jsonText({ resultType: 'complete', ...result, ...hints, _meta: { ...result._meta, ...identity } });
  return (method, value) => {
    const result = value as Result;
    const hints = lists.get(method);
    if (!hints) {
      const cacheable = method === 'resources/read' && result.resultType === undefined;
      return write(result, cacheable ? contents : undefined);
    }
    return prepared.of(result, () => write(result, hints));
  };
}
