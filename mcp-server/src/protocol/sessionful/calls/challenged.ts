/** Owns the answer to a call that turned out to need a scope: by HTTP as long as nothing was written, else as an error (RFC 6750 §3.1). */
import { ConnectionNeeded, scopeNeeded } from '../../methods/upstreams/connection-needed.ts';
import type { Run } from './outlet.ts';

/** @returns whether the request was answered */
export function challenged({ id, outlet, request }: Run, error: unknown): boolean {
  if (!(error instanceof ConnectionNeeded) || !outlet.isUntouched()) return false;
  request.challenge(error.scope);
  outlet.drop(id);
  return true;
}

/** The error as it is sent where HTTP has answered already. */
export const wordedError = (error: unknown): unknown =>
  error instanceof ConnectionNeeded ? scopeNeeded(error) : error;
