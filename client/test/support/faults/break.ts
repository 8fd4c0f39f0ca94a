/** Owns how a healthy site of a test is broken in one thing: at one path, in one member, in one header. */
import type { Answer, Asked, Fault, Site } from '../site.ts';

export const RESOURCE = '/.well-known/oauth-protected-resource/mcp';
export const SERVER = '/.well-known/oauth-authorization-server';

/** Changes the answers at one path. */
export const at =
  (path: string, change: (answer: Answer, asked: Asked, site: Site) => Answer | undefined): Fault =>
  (answer, asked, site) =>
    asked.path === path ? change(answer, asked, site) : answer;

/** Changes members of the JSON document at one path. */
export const member = (path: string, members: object | ((site: Site) => object)): Fault =>
  at(path, (answer, { method }, site) =>
    method === 'GET'
      ? {
          ...answer,
          body: { ...(answer.body as object), ...(typeof members === 'function' ? members(site) : members) },
        }
      : answer,
  );

export const without = (...names: readonly string[]): Fault => {
  const stripped = new Set(names);
  return (answer) => ({
    ...answer,
    headers: Object.fromEntries(Object.entries(answer.headers).filter(([name]) => !stripped.has(name))),
  });
};

export const challenge = (header: string): Fault =>
  at('/mcp', (answer) =>
    answer.status === 401 ? { ...answer, headers: { ...answer.headers, 'www-authenticate': header } } : answer,
  );

/** A server behind TLS that builds its URLs from plain http requests. */
export const plain = (path: string): Fault =>
  at(path, (answer) => ({ ...answer, body: JSON.parse(JSON.stringify(answer.body).replaceAll('https:', 'http:')) }));

export interface Broken {
  readonly is: string;
  readonly fault: Fault;
  /** The step that names it. */
  readonly step: string;
  readonly responsible: string;
  readonly says: RegExp;
  readonly secure?: boolean;
  /** Whether requests end with their limit of time alone. */
  readonly hangs?: boolean;
  /** Steps that can't be tried then. */
  readonly untried?: readonly string[];
}

/** The steps at the authorization server after its metadata. */
export const AT_ISSUER = ['pkce', 'registration', 'keys'];
