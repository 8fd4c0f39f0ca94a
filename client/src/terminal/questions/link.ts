/** Owns which pages of a server's choice a person may be sent to, and what is shown of them first (MCP, elicitation in URL mode). */
import { domainToUnicode } from 'node:url';
import { isObject } from '@mcp-oauth/shared/json';
import { isLoopback } from '@mcp-oauth/shared/network/internal-host';

/** What a server asks for. */
export interface Link {
  readonly message: string;
  readonly url: string;
  /** Only before 2026-07-28: what `notifications/elicitation/complete` names. */
  readonly id?: string | undefined;
}

/** A browser and a person can't do anything with a longer one. */
const LONGEST_URL = 8_000;
const LONGEST_MESSAGE = 2_000;
const MOST_LINKS = 10;

/** @returns the URL, or why it must not be opened */
export function pageOf({ url }: Link): URL | string {
  if (url.length > LONGEST_URL) return `its URL has more than ${LONGEST_URL} characters`;
  const page = URL.parse(url);
  if (!page || !/^https?:$/.test(page.protocol)) return 'it is not an http or https URL';
  if (page.protocol === 'http:' && !isLoopback(page.href)) return 'its URL must use https';
  // What stands before the @ looks like a host.
  if (page.username || page.password) return 'its URL has a user name or password';
  return page;
}

/** The message is marked line by line, so that it can't pass for words of this program. A URL has ASCII only. */
export function questionOf({ message }: Link, page: URL, server: string): string {
  const short = message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}…` : message;
  const quoted = short.split(/\r\n?|\n/).map((line) => `  > ${line}`);
  return [
    '',
    `${server} asks you to open a page:`,
    ...quoted,
    `  Host: ${page.host}`,
    `  URL:  ${page.href}`,
    ...warning(page),
  ].join('\n');
}

/** RFC 5891 §4.4: such a host may look like another one. */
function warning({ hostname }: URL): readonly string[] {
  if (!hostname.split('.').some((label) => label.startsWith('xn--'))) return [];
  return [
    `  Careful: this host has letters beyond ASCII, and may only look like another: ${domainToUnicode(hostname)}`,
  ];
}

/** The links of a URLElicitationRequiredError (MCP 2025-11-25): undefined if there is none, or one that is no link. */
export function linksIn(elicitations: unknown): readonly Link[] | undefined {
  if (!Array.isArray(elicitations) || elicitations.length < 1 || elicitations.length > MOST_LINKS) return undefined;
  const links = elicitations.map(linkIn);
  return links.every((link) => link !== undefined) ? links : undefined;
}

function linkIn(value: unknown): Link | undefined {
  if (!isObject(value)) return undefined;
  const { message, url, elicitationId: id } = value;
  if (typeof message !== 'string' || typeof url !== 'string') return undefined;
  return { message, url, ...(typeof id === 'string' && { id }) };
}
