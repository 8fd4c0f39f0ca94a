/** Owns a person without a browser in a test: cookies, redirects and the forms of the pages, over plain HTTP. */

interface Form {
  readonly action: string;
  readonly fields: URLSearchParams;
  /** Buttons by their text, with the name and value that they send. */
  readonly buttons: ReadonlyMap<string, readonly [name: string, value: string] | undefined>;
}

export interface Page {
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** A cookie jar for one host (cookies ignore ports) with paths, and a way to click through pages. */
export class Person {
  readonly cookies = new Map<string, { value: string; path: string }>();
  /** Every `Set-Cookie` ever received. */
  readonly received: string[] = [];
  readonly #name: RegExp;

  /** @param name of one of the people at the development IdP */
  constructor(name = /Alice/) {
    this.#name = name;
  }

  async request(url: string | URL, init: RequestInit = {}): Promise<Page> {
    const at = new URL(url);
    const cookie = [...this.cookies]
      .filter(([, { path }]) => `${at.pathname}/`.startsWith(path.endsWith('/') ? path : `${path}/`))
      .map(([name, { value }]) => `${name}=${value}`)
      .join('; ');
    const headers = { accept: 'text/html', ...(cookie && { cookie }), ...(init.headers as Record<string, string>) };
    const response = await fetch(at, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    return { url: at, status: response.status, headers: response.headers, body: await response.text() };
  }

  /** Opens `url` and follows redirects to a page, or up to a URL that begins with `until`. */
  async open(url: string | URL, until: string, init: RequestInit = {}): Promise<Page | URL> {
    let page = await this.request(url, init);
    while (page.headers.has('location')) {
      const next = new URL(page.headers.get('location') ?? '', page.url);
      if (next.href.startsWith(until)) return next;
      page = await this.request(next);
    }
    return page;
  }

  /** Presses the button of a page's form whose text matches. */
  press(page: Page, text: RegExp, until: string): Promise<Page | URL> {
    for (const { action, fields, buttons } of formsOf(page)) {
      for (const [label, sent] of buttons) {
        if (!text.test(label)) continue;
        const body = new URLSearchParams(fields);
        if (sent) body.set(...sent);
        return this.open(new URL(action, page.url), until, {
          method: 'POST',
          body,
          headers: { origin: page.url.origin },
        });
      }
    }
    throw new Error(`no button ${text} on ${page.url}:\n${page.body}`);
  }

  /** The whole sign-in; returns the redirect URL of the client. */
  async signIn(authorizationUrl: string | URL, redirectUri: string, name = this.#name): Promise<URL> {
    let at = await this.open(authorizationUrl, redirectUri);
    if (!(at instanceof URL)) at = await this.press(at, /Continue with|Approve/, redirectUri);
    if (!(at instanceof URL)) at = await this.press(at, name, redirectUri);
    if (at instanceof URL) return at;
    throw new Error(`sign-in ended at ${at.url} with ${at.status}:\n${at.body}`);
  }

  #keep(line: string): void {
    this.received.push(line);
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const name = pair.slice(0, pair.indexOf('='));
    const attribute = (key: string) =>
      attributes.find((part) => part.toLowerCase().startsWith(`${key}=`))?.slice(key.length + 1);
    const expires = attribute('expires');
    const gone = attribute('max-age') === '0' || (expires !== undefined && Date.parse(expires) < Date.now());
    if (gone) this.cookies.delete(name);
    else this.cookies.set(name, { value: pair.slice(name.length + 1), path: attribute('path') ?? '/' });
  }
}

const unescaped = (text: string): string =>
  text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
const attributeOf = (tag: string, name: string): string | undefined => {
  const found = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1];
  return found === undefined ? undefined : unescaped(found);
};

function formsOf({ body }: Page): readonly Form[] {
  const boxes = body.match(/<input type="checkbox"[^>]* checked>/g) ?? [];
  return [...body.matchAll(/<form([^>]*)>([\s\S]*?)<\/form>/g)].map(([, head = '', inside = '']) => {
    const fields = new URLSearchParams();
    const elsewhere = boxes.filter((tag) => attributeOf(tag, 'form') === (attributeOf(head, 'id') ?? ''));
    for (const tag of [...(inside.match(/<input[^>]*>/g) ?? []), ...elsewhere]) {
      fields.append(attributeOf(tag, 'name') ?? '', attributeOf(tag, 'value') ?? '');
    }
    const buttons = new Map<string, readonly [string, string] | undefined>();
    for (const [, tag = '', label = ''] of inside.matchAll(/<button([^>]*)>([\s\S]*?)<\/button>/g)) {
      const name = attributeOf(tag, 'name');
      buttons.set(
        unescaped(label.replace(/(<[^>]*>|\s)+/g, ' ').trim()),
        name === undefined ? undefined : [name, attributeOf(tag, 'value') ?? ''],
      );
    }
    return { action: attributeOf(head, 'action') ?? '', fields, buttons };
  });
}
