/** Owns a person with a browser in a test: cookies by path (RFC 6265 §5.1.4), and the steps through the pages. */
import type { RunningServer } from './running-server.ts';

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  /** The whole `Set-Cookie` value with its attributes. */
  readonly line: string;
}

export class Browser {
  readonly #server: RunningServer;
  #cookies: readonly Cookie[] = [];

  constructor(server: RunningServer) {
    this.#server = server;
  }

  get cookies(): readonly Cookie[] {
    return this.#cookies;
  }

  /** One request; the test follows redirects itself. */
  async visit(target: string, init: RequestInit = {}): Promise<Response> {
    const { pathname } = this.#server.url(target);
    const sent = this.#cookies.filter(
      ({ path }) => path === '/' || pathname === path || pathname.startsWith(`${path}/`),
    );
    const cookie = sent.map(({ name, value }) => `${name}=${value}`).join('; ');
    const headers = { accept: 'text/html', ...(cookie && { cookie }), ...(init.headers as Record<string, string>) };
    const response = await this.#server.fetch(target, { ...init, headers });
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    return response;
  }

  #keep(line: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    const path = /; ?path=([^;]+)/i.exec(line)?.[1] ?? '/';
    const gone = /expires=Thu, 01 Jan 1970/i.test(line);
    const others = this.#cookies.filter((cookie) => cookie.name !== name || cookie.path !== path);
    this.#cookies = gone ? others : [...others, { name, value, path, line }];
  }

  /** Follows redirects within the server; returns the page, or the URL outside. */
  async follow(
    target: string,
    init?: RequestInit,
  ): Promise<{ page?: Response; outside?: URL; hops: readonly string[] }> {
    const hops: string[] = [];
    let response = await this.visit(target, init);
    for (;;) {
      const location = response.headers.get('location');
      if (!location) return { page: response, hops };
      const next = new URL(location, this.#server.issuer);
      hops.push(next.pathname);
      if (next.origin !== new URL(this.#server.issuer).origin) return { outside: next, hops };
      response = await this.visit(next.href);
    }
  }

  /** Submits the form of a sign-in page. */
  async submit(page: Response | undefined, action: 'approve' | 'deny', fields: Readonly<Record<string, string>> = {}) {
    const markup = (await page?.text()) ?? '';
    const [, path] = /action="([^"]+)\/approve"/.exec(markup) ?? [];
    const [, token] = /name="token" value="([^"]+)"/.exec(markup) ?? [];
    if (!path || !token) throw new Error(`no sign-in page but ${page?.status} ${markup.slice(0, 600)}`);
    const ticked = [...markup.matchAll(/<input type="checkbox"[^>]*name="scope" value="([^"]+)"[^>]* checked>/g)];
    const body = new URLSearchParams({ token, ...fields });
    if (!('scope' in fields)) for (const [, scope = ''] of ticked) body.append('scope', scope);
    return this.follow(new URL(`${path}/${action}`, this.#server.issuer).href, { method: 'POST', body });
  }

  /** From the page through the upstream as `person` and back to the final URL. */
  async signIn(page: Response | undefined, person: string) {
    const { outside: upstream } = await this.submit(page, 'approve', { connector: 'acme' });
    const state = upstream?.searchParams.get('state') ?? '';
    return this.follow(`/callback/acme?${new URLSearchParams({ state, code: person })}`);
  }
}
