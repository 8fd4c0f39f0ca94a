/** Owns what the methods of MCP are made of: what is offered, to whom, and where a fault is told. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '@mcp-oauth/shared/clock';
import type { Logger } from '@mcp-oauth/shared/logger';
import { AuthorFault, asError, unreadable } from '../author-fault.ts';
import { type Call, RpcError } from '../call.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Changes } from '../changes/changes.ts';
import { type ServerStatus, ToolError } from '../define.ts';
import { type Covers, INTERNAL_ERROR } from './params.ts';
import { MissingCapability } from './questions/missing-capability.ts';

export interface MethodsDependencies {
  /** What is offered at this moment. */
  readonly catalog: () => Catalog;
  readonly covers: Covers;
  /** Whether lists leave out what the caller lacks a scope for. */
  readonly hideUnpermitted: boolean;
  readonly changes: Pick<Changes, 'announce'>;
  readonly status: () => Promise<ServerStatus>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Hears of every tool that was called. */
  readonly onToolCall?: ((tool: string, outcome: ToolOutcome) => void) | undefined;
}

/**
 * What became of a call that reached its tool: wrong arguments and failures that its author words are the model's to read; one
 * that was called off while it ran may break as it likes.
 */
export type ToolOutcome = 'ok' | 'invalid_arguments' | 'failed' | 'fault' | 'cancelled';

/**
 * Tells the operator that something broke which was written to work; an aborted request may break as it likes.
 * @returns what the caller can quote, and the operator finds in the log
 */
export function recordFault({ log }: MethodsDependencies, call: Call, what: object, err: Error): string {
  const reference = randomUUID().slice(0, 8);
  const { subject, clientId } = call.principal;
  const say = (error: Error) =>
    log.error({ err: error, reference, ...what, subject, client: clientId }, 'request failed');
  try {
    if (!call.signal.aborted) say(err);
  } catch {
    say(unreadable());
  }
  return reference;
}

/**
 * Runs what an author wrote, where an answer can't be a failure: that is an error then.
 * @throws RpcError with the author's words, or without any of a fault
 */
export async function orError<T>(dependencies: MethodsDependencies, call: Call, what: object, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (thrown) {
    const error = asError(thrown);
    if (error instanceof RpcError || error instanceof MissingCapability) throw error;
    if (error instanceof ToolError) throw new RpcError(INTERNAL_ERROR, error.message);
    const reference = recordFault(dependencies, call, what, error);
    const words = error instanceof AuthorFault ? `Internal error: ${error.message}` : 'Internal error';
    throw new RpcError(INTERNAL_ERROR, words, { reference });
  }
}
