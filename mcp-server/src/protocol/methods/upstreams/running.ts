/**
 * Owns how work at an upstream ends with the call that has begun it: a tool may return while a request of it, or its wait for a person,
 * still goes on.
 */
import type { Call } from '../../call.ts';

/** Aborted when the client has left or cancelled, and when the call has ended. */
export const endOfCall = ({ signal, ended }: Pick<Call, 'signal' | 'ended'>): AbortSignal =>
  AbortSignal.any([signal, ended]);

/**
 * The same outcome while the call runs, and none after it: a tool that has returned, or never goes on after a question, handles no error
 * of what it has left running, and an unhandled one ends the process.
 */
export const whileItRuns = <T>({ ended }: Pick<Call, 'ended'>, work: Promise<T>): Promise<T> =>
  work.catch((error: unknown) => (ended.aborted ? new Promise<never>(() => {}) : Promise.reject(error)));
