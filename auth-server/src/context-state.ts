/**
 * Owns what auth-server keeps on Koa's `ctx.state`, which passes values of one request across the engine. Into the engine:
 *
 * - `requestId` and `log` from the request log to the engine's events and error pages;
 * - `audit` from http/app.ts to every part that writes audit entries;
 * - `flow` from the sign-in pages and provider/events.ts to the audit;
 * - `clientAddress` from http/client-address.ts to the limits and to the reading of clients' documents;
 * - `initialAccess` from http/admission/registration.ts to the adapter that writes the client;
 * - `isRefused` from provider/find-account.ts and provider/grants/enterprise.ts to the end of the grant;
 * - `permitted` from provider/find-account.ts to the scopes that a token may have;
 * - `details` from a grant of our own to the audit entry of its request;
 * - `userCode` from http/admission/device.ts to the page that asks for it;
 * - `clientWithoutSecret` from the guard to the parameters of the request, both in provider/overrides/request-context.ts.
 *
 * Out of the engine:
 *
 * - `outcome` from provider/events.ts to the line of the request in the log;
 * - `hasProvedKey` from a grant of our own to the limit of failures in http/admission/request-limits.ts;
 * - `errorMembers` from a grant of our own to provider/guards/error-members.ts, which adds them to the answer;
 * - `isWaiting` from a grant of our own to provider/events.ts, which writes no audit entry each time;
 * - `failure` from provider/events.ts to provider/guards/failure.ts, which throws it.
 */
import type { Audit, AuditEntry } from '@mcp-oauth/shared/audit/entry';
import type { HttpError } from '@mcp-oauth/shared/errors';
import type { RequestState } from '@mcp-oauth/shared/http/request-log';

export interface ContextState extends RequestState {
  /** The audit of this request: it adds from where, the id and the flow. */
  audit: Audit;
  /** Connects the requests of one sign-in (consent/interaction.ts). */
  flow?: string;
  /** The address that the limits count. */
  clientAddress: string;
  /** Id of the initial access token of a registration (RFC 7591 §3). */
  initialAccess?: string;
  /** The code in a link to /device (RFC 8628 §3.3.1). */
  userCode?: string;
  /** Client id of a Basic header whose secret is empty (RFC 6749 §2.3.1). */
  clientWithoutSecret?: string;
  /** Whether the person of this code or refresh token may not come in any more. */
  isRefused?: boolean;
  /** The scopes that the person of this code or refresh token may have. */
  permitted?: (names: readonly string[], free: ReadonlySet<string>) => readonly string[];
  /** Facts of this token request for the audit. Of an exchange: present as soon as its client proved its key. */
  details?: AuditEntry['details'];
  /** Whether the caller proved the key of a client of the operator: what fails then was not guessed. */
  hasProvedKey?: boolean;
  /** Members of the error answer besides those of RFC 6749 §5.2. */
  errorMembers?: Readonly<Record<string, string | number | boolean>>;
  /** Whether the client only wants to know if the person has acted by now: it asks every few seconds. */
  isWaiting?: boolean;
  /** A failure with its own answer. The engine catches it and reports it by an event only. */
  failure?: HttpError;
}

/** Koa and the engine leave `state` untyped; this is the only type of its content. */
export const stateOf = (ctx: { readonly state: object }): ContextState => ctx.state as ContextState;
