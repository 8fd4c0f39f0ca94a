/**
 * Owns one request in the lane: its id, its line in the log, and the answer if it is refused or fails (RFC 6750
 * §3.1, JSON-RPC 2.0 §5.1).
 */

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Audit } from '@mcp-oauth/shared/audit/entry';
import type { HttpError } from '@mcp-oauth/shared/errors';
import { answer, gather, listOf } from '@mcp-oauth/shared/http/answer';
import { logConnection } from '@mcp-oauth/shared/http/connections';
import { reported } from '@mcp-oauth/shared/http/error-boundary';
import { requestLine } from '@mcp-oauth/shared/http/request-log';
import { apiHeaders } from '@mcp-oauth/shared/http/security-headers';
import type { Logger, PlainMembers } from '@mcp-oauth/shared/logger';
import { jsonText } from '@mcp-oauth/shared/text/json-text';
import type { Caller } from '../../authorization/access-token.ts';
import type { Finding } from '../../authorization/finding.ts';
import type { Principal } from '../../authorization/principal.ts';
import { askedFor, short } from './asked-for.ts';
import { MessageError } from './message-error.ts';

/** Requests that show no token, or come from a wrong place. */
const NO_TOKEN = new Set(['no_token', 'other_scheme', 'wrong_host', 'wrong_origin']);

const ALWAYS = listOf(apiHeaders);

const ERROR = ['Cache-Control', 'no-store', 'Content-Type', 'application/json; charset=utf-8'];

const NOTHING: PlainMembers = {};

/** Observers of the requests in the lane. */
export interface LaneObservers {
  readonly log: Logger;
  /** Writes the line of a request. */
  readonly logRequest: (line: PlainMembers, known: PlainMembers) => void;
  /** Absent: there is no audit. */
  readonly audit?: Audit | undefined;
  /** What tokens are for, in the audit. */
  readonly resource?: string;
  /** Called with the reason of each refusal, one of a closed list. */
  readonly onRefused?: ((reason: string) => void) | undefined;
  readonly addressOf: (req: IncomingMessage) => string;
  /** Whether log and audit name the issuer of a token: there are several, at which a subject may be different people. */
  readonly namesIssuer?: boolean | undefined;
}

export class LaneRequest implements Caller {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly path: string;
  /** Set after the authentication. */
  principal: Principal | undefined;
  /** Set after the body was read. */
  message: unknown;
  readonly #id = randomUUID();
  readonly #observers: LaneObservers;
  #log: Logger | undefined;

  constructor(req: IncomingMessage, res: ServerResponse, path: string, observers: LaneObservers) {
    this.req = req;
    this.res = res;
    this.path = path;
    this.#observers = observers;
    const started = performance.now();
    gather(res, ['X-Request-Id', this.#id, ...ALWAYS]);
    res.on('error', (error) => logConnection(error, this.log));
    res.on('close', () => {
      const line = requestLine(res, { request: this.#id, method: this.method, path, started });
      this.#observers.logRequest(line, this.#known());
    });
  }

  get method(): string {
    return this.req.method ?? '';
  }

  /** Found out on use: few checks are limited by address. */
  get address(): string {
    return this.#observers.addressOf(this.req);
  }

  /** Created on first use: most requests only log their own line. */
  get log(): Logger {
    this.#log ??= this.#observers.log.child({ request: this.#id });
    return this.#log;
  }

  /** Adds who asks, from where, and the id. Absent: there is no audit. */
  get audit(): Audit | undefined {
    const { audit, resource, namesIssuer } = this.#observers;
    if (!audit) return undefined;
    const { principal, address: from } = this;
    const [who, client, reference] = [principal?.subject, principal?.clientId, this.#id];
    const issuer = namesIssuer ? principal?.issuer : undefined;
    const actors = principal?.actors;
    const isPlain = issuer === undefined && actors === undefined;
    return (entry) => {
      const details = isPlain ? entry.details : { ...entry.details, issuer, actors };
      audit({ who, client, ...entry, ...(details && { details }), resource, from, reference });
    };
  }

  /** The principal and the content of the message, as far as they are known. */
  #known(): PlainMembers {
    const { principal, message } = this;
    if (!principal) return NOTHING;
    const { issuer, subject, clientId } = principal;
    return {
      issuer: this.#observers.namesIssuer ? issuer : undefined,
      subject: short(subject),
      client: clientId === undefined ? undefined : short(clientId),
      ...askedFor(message),
    };
  }

  /** Answers with the error. If the answer has already started, it closes the connection instead. */
  fail(thrown: unknown): void {
    if (thrown instanceof MessageError) {
      const { status, code, message, data, id = null, headers } = thrown;
      this.log.info({ error: message, ...this.#known() }, 'request refused');
      this.#observers.onRefused?.('invalid_message');
      this.#answer(status, headers, {
        jsonrpc: '2.0',
        id,
        error: { code, message, ...(data !== undefined && { data }) },
      });
      return;
    }
    const error = reported(thrown, this.log, this.#known());
    this.#observers.onRefused?.(error.reason);
    this.#noteRefusal(error);
    this.#answer(error.status, error.headers, { error: error.code, error_description: error.message });
  }

  /** A request without a token only asks where to get one. */
  #noteRefusal({ status, reason, facts }: HttpError): void {
    if ((status !== 401 && status !== 403) || NO_TOKEN.has(reason)) return;
    const details = { ...askedFor(this.message) };
    const parties = this.principal ? {} : partiesIn(facts);
    this.audit?.({ event: 'access.refused', outcome: 'refused', reason, details, ...parties });
  }

  #answer(status: number, headers: Readonly<Record<string, string | readonly string[]>>, body: unknown): void {
    const { res } = this;
    if (res.headersSent) {
      res.destroy();
      return;
    }
    answer(res, status, [...listOf(headers), ...ERROR], jsonText(body));
  }
}

/** Whose token was refused, if its signature was verified: a revoked one that is used may be stolen. */
function partiesIn({ subject, client, verified }: Finding): { readonly who?: string; readonly client?: string } {
  if (verified === false) return {};
  return { ...(typeof subject === 'string' && { who: subject }), ...(typeof client === 'string' && { client }) };
}
