/**
 * Owns the two URLs of one server: the public one in browsers and tokens (its issuer, RFC 8414 §2), and the internal one at which a
 * service reaches it from inside the network. Documents keep the public URL; only requests go to the internal one.
 */

export interface Place {
  /** The internal form of a public URL of the server; other URLs stay unchanged. */
  inside(url: string): string;
  /** The public form of a URL that the server built from the requested host. */
  outside(url: string): string;
}

/** @param internalUrl absent: there is only the public URL */
export function createPlace(publicUrl: string, internalUrl: string | undefined): Place {
  if (internalUrl === undefined) return { inside: asItIs, outside: asItIs };
  const [outer, inner] = withoutCommonEnd(publicUrl, internalUrl);
  return { inside: (url) => moved(url, outer, inner), outside: (url) => moved(url, inner, outer) };
}

const asItIs = (url: string): string => url;

/** `https://id.example.com/realms/staff` and `http://idp:8080/auth/realms/staff` differ up to `/realms/staff`. */
function withoutCommonEnd(publicUrl: string, internalUrl: string): readonly [string, string] {
  const [outer, inner] = [segments(publicUrl), segments(internalUrl)];
  // The first segment of each is its origin.
  while (outer.length > 1 && inner.length > 1 && outer.at(-1) === inner.at(-1)) {
    outer.pop();
    inner.pop();
  }
  return [outer.join('/'), inner.join('/')];
}

function segments(url: string): string[] {
  const { origin, pathname } = new URL(url);
  return [origin, ...pathname.split('/').filter(Boolean)];
}

/** Members that are URLs of the server; the issuer is an identifier and must be correct as it is. */
const ENDPOINT = /_(endpoint|uri)$/;

/** Metadata (RFC 8414 §2) with the public form of each endpoint: some servers build them from the requested host. */
export const withPublicEndpoints = (metadata: object, { outside }: Place): object =>
  Object.fromEntries(
    Object.entries(metadata).map(([name, value]) => [
      name,
      ENDPOINT.test(name) && typeof value === 'string' ? outside(value) : value,
    ]),
  );

function moved(url: string, from: string, to: string): string {
  const written = URL.parse(url)?.href ?? url;
  return written.startsWith(`${from}/`) ? to + written.slice(from.length) : url;
}
