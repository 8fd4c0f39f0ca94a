/** Owns the reading of parameters: cheap checks with one clear error (JSON-RPC 2.0 §5.1, -32602). */
import { isObject } from '@mcp-oauth/shared/json';
import { INVALID_PARAMS } from '@mcp-oauth/shared/json-rpc-codes';
import type { Principal } from '../../authorization/principal.ts';
import { RpcError } from '../call.ts';
import type { Entry } from '../catalog/listing.ts';

export type Params = Readonly<Record<string, unknown>>;

export const invalid = (what: string): RpcError => new RpcError(INVALID_PARAMS, `Invalid params: ${what}`);

/** @throws RpcError */
export function textOf(params: Params, name: string): string {
  const value = params[name];
  if (typeof value === 'string') return value;
  throw invalid(`${name} has to be a string`);
}

/** An absent object counts as an empty one. @throws RpcError */
export function objectOf(params: Params, name: string): Params {
  const value = params[name];
  if (value === undefined) return {};
  if (isObject(value)) return value;
  throw invalid(`${name} has to be an object`);
}

/** @throws RpcError */
export function textsOf(params: Params, name: string): Readonly<Record<string, string>> {
  const texts = objectOf(params, name);
  for (const key of Object.keys(texts)) textOf(texts, key);
  return texts as Readonly<Record<string, string>>;
}

/** Whether a caller with the scopes of `held` may use an entry that requires `needed`. */
export type Covers = (held: ReadonlySet<string>, needed: readonly string[]) => boolean;

/** A second check: HTTP normally answers 403 before. @throws RpcError */
export function permit({ key, scopes }: Entry, { scopes: held }: Principal, covers: Covers): void {
  if (scopes.length === 0 || covers(held, scopes)) return;
  throw new RpcError(INVALID_PARAMS, `${key} needs the scope ${scopes.join(' ')}`);
}
