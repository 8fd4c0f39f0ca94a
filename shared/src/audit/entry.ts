/**
 * Owns the shape of an audit entry, the same in both services, and its text: one line of JSON without line ends, characters that
 * control a terminal, or lone surrogates, and of bounded length.
 */
import { wellFormedLine } from '../text/json-text.ts';
import { visibleJson } from '../text/terminal-text.ts';
import type { AuditEvent } from './events.ts';

type Detail = string | number | boolean | undefined | readonly string[];

export interface AuditEntry {
  readonly event: AuditEvent;
  /** `ok`: it was done. `refused`: we said no. `failed`: something else went wrong. */
  readonly outcome: 'ok' | 'refused' | 'failed';
  /** Subject of the person, or of the client that acts for itself: `sub` of the tokens. */
  readonly who?: string | undefined;
  readonly client?: string | undefined;
  readonly resource?: string | undefined;
  /** Address of the caller. */
  readonly from?: string | undefined;
  /** The tagged cause, as in the log. */
  readonly reason?: string | undefined;
  /** Id of the request: it is in the log, and on the error page that the person saw. */
  readonly reference?: string | undefined;
  /** Connects the requests of one sign-in. */
  readonly flow?: string | undefined;
  /** Digest of the id of the grant, as commands and pages show it. */
  readonly grant?: string | undefined;
  /** Further facts of this event. Never tokens, codes, secrets or cookies. */
  readonly details?: Readonly<Record<string, Detail>>;
}

/** Writes an entry. Never waits, never throws. */
export type Audit = (entry: AuditEntry) => void;

/** UTF-16 units of one value. Names of clients and tools may come from strangers. */
const LONGEST = 1_000;
/** Members of `details`, and values of a list. */
const MOST = 20;

const cut = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);

/** Strings without anything that JSON escapes: nearly all. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]{0,200}$/;

const quoted = (text: string): string => (PLAIN.test(text) ? `"${text}"` : safe(JSON.stringify(cut(text))));

const safe = (json: string): string => visibleJson(wellFormedLine(json));

const member = (name: string, value: string | undefined): string =>
  value === undefined ? '' : `,"${name}":${quoted(value)}`;

/** @returns the members of the entry as JSON text without the closing brace, which the chain completes */
export function textOf(entry: AuditEntry, at: string): string {
  const { event, outcome, who, client, resource, from, reason, reference, flow, grant, details } = entry;
  return (
    `{"event":"${event}","at":"${at}"` +
    member('who', who) +
    member('client', client) +
    member('resource', resource) +
    member('from', from) +
    `,"outcome":"${outcome}"` +
    member('reason', reason) +
    member('reference', reference) +
    member('flow', flow) +
    member('grant', grant) +
    (details ? `,"details":${detailsText(details)}` : '')
  );
}

function detailsText(details: NonNullable<AuditEntry['details']>): string {
  let text = '';
  let count = 0;
  for (const name of Object.keys(details)) {
    const value = details[name];
    if (value === undefined || count === MOST) continue;
    count += 1;
    text += `${text && ','}${quoted(name)}:${valueText(value)}`;
  }
  return `{${text}}`;
}

function valueText(value: NonNullable<Detail>): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'object') return `[${value.slice(0, MOST).map((one) => quoted(String(one)))}]`;
  return JSON.stringify(value);
}
