/**
 * Owns which hosts may publish client documents: the trust policy by domain (draft-ietf-oauth-client-id-metadata-document §8.8),
 * the hosts that may be inside the network, and the types of these settings.
 */
import { z } from 'zod';

export interface HostPolicy {
  /** Host names, `*.example.com` for everything below one, `*` for all. */
  readonly allow: readonly string[];
  /** Takes precedence over `allow`. */
  readonly deny: readonly string[];
  /** `host` or `host:port`, compared exactly: may have any name, port and address. */
  readonly private: readonly string[];
}

const matches = (hostname: string, pattern: string): boolean =>
  pattern === '*' || (pattern.startsWith('*.') ? hostname.endsWith(pattern.slice(1)) : hostname === pattern);

export const isAllowed = ({ allow, deny }: HostPolicy, { hostname }: URL): boolean =>
  !deny.some((pattern) => matches(hostname, pattern)) && allow.some((pattern) => matches(hostname, pattern));

export const mayBePrivate = ({ private: hosts }: HostPolicy, { host, hostname }: URL): boolean =>
  hosts.includes(host) || hosts.includes(hostname);

const PATTERN = /^(\*|(\*\.)?([a-z0-9_-]+\.)*[a-z0-9-]+)$/;

const entries = (expected: string, isEntry: (entry: string) => boolean): z.ZodType<readonly string[], string> =>
  z.string().transform((text, context) => {
    const list = text
      .toLowerCase()
      .split(/[\s,]+/)
      .filter((entry) => entry && entry !== 'none');
    const wrong = list.find((entry) => !isEntry(entry));
    if (wrong !== undefined) context.addIssue({ code: 'custom', message: `expected ${expected}, not ${wrong}` });
    return list;
  });

/** `app.example.com, *.example.org` */
export const hostPatterns = (): z.ZodType<readonly string[], string> =>
  entries('host names such as app.example.com or *.example.com', (entry) => PATTERN.test(entry));

/** `app.corp, localhost:8443` */
export const hostsToTheLetter = (): z.ZodType<readonly string[], string> =>
  entries('hosts such as app.corp or localhost:8443', (entry) => {
    const url = URL.parse(`https://${entry}/`);
    return url !== null && !entry.includes('*') && [url.host, `${url.hostname}:443`].includes(entry);
  });
