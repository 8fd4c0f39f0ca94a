/** Owns how often a compare-and-set is tried again: each attempt fails only because another one succeeded. */
import { HttpError } from '@mcp-oauth/shared/errors';

const MOST_ATTEMPTS = 200;

/** @param attempt returns its result as `done`, or `undefined` to be tried again */
export async function retried<T>(attempt: () => Promise<{ readonly done: T } | undefined>): Promise<T> {
  for (let tries = 0; tries < MOST_ATTEMPTS; tries += 1) {
    const result = await attempt();
    if (result) return result.done;
  }
  const headers = { 'Retry-After': '2' };
  throw new HttpError(503, 'temporarily_unavailable', 'Too many changes at once.', { headers });
}
