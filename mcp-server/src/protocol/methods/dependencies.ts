/** Owns the dependencies of the methods of MCP, and the handling of errors in the code of authors. */
import { randomUUID } from 'node:crypto';
import { INTERNAL_ERROR } from '@mcp-oauth/shared/json-rpc-codes';
import { AuthorFault, asError, unreadable } from '../author-fault.ts';
import { type Call, RpcError } from '../call.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Changes } from '../changes/changes.ts';
import { type ServerStatus, ToolError } from '../define.ts';
import type { Covers } from './params.ts';
import { MissingCapability } from './questions/missing-capability.ts';
import { ConnectionNeeded } from './upstreams/connection-needed.ts';
import type { ForPersonDependencies } from './upstreams/for-person.ts';

export interface MethodsDependencies extends ForPersonDependencies {
  /** The current catalog. */
  readonly catalog: () => Catalog;
  readonly covers: Covers;
  /** Whether lists leave out the entries that the caller lacks a scope for. */
  readonly hideUnpermitted: boolean;
  readonly changes: Pick<Changes, 'announce'>;
  readonly status: () => Promise<ServerStatus>;
  /** Called for every call of a tool. */
  readonly onToolCall?: ((tool: string, outcome: ToolOutcome) => void) | undefined;
}

/**
 * The outcome of a call that reached its tool. The model reads `invalid_arguments` and `failed`; `fault` is an
 * unexpected error. An error after a cancellation counts as `cancelled`.
 */
export type ToolOutcome = 'ok' | 'invalid_arguments' | 'failed' | 'fault' | 'cancelled';

/**
 * Logs an unexpected error for the operator, unless the request was aborted.
 * @returns a reference that the caller can quote, and by which the operator finds the log entry
 */
export function recordFault({ log }: MethodsDependencies, call: Call, what: object, err: Error): string {
  const reference = randomUUID().slice(0, 8);
  const { subject, clientId } = call.principal;
  const report = (error: Error) =>
    log.error({ err: error, reference, ...what, subject, client: clientId }, 'request failed');
  try {
    if (!call.signal.aborted) report(err);
  } catch {
    report(unreadable());
  }
  return reference;
}

/** An error that each era expresses in its own way. */
export const isForEra = (error: unknown): error is MissingCapability | ConnectionNeeded =>
  error instanceof MissingCapability || error instanceof ConnectionNeeded;

/**
 * Runs the code of an author where the result can't express a failure.
 * @throws RpcError with the message of a ToolError or AuthorFault, else without details
 */
export async function orError<T>(
  dependencies: MethodsDependencies,
  call: Call,
  what: object,
  run: () => T | Promise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (thrown) {
    const error = asError(thrown);
    if (error instanceof RpcError || isForEra(error)) throw error;
    if (error instanceof ToolError) throw new RpcError(INTERNAL_ERROR, error.message);
    const reference = recordFault(dependencies, call, what, error);
    const words = error instanceof AuthorFault ? `Internal error: ${error.message}` : 'Internal error';
    throw new RpcError(INTERNAL_ERROR, words, { reference });
  }
}
