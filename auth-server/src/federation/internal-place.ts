/**
 * Owns the two names of one place: the URL under which browsers and tokens know an upstream, and the one under which this
 * server reaches it. What is said stays public; only the request itself goes inside.
 */

export interface Place {
  /** Where a public URL of the upstream is asked for; a URL of somebody else stays as it is. */
  inside(url: string): string;
  /** The public form of a URL that the upstream built from the host it was asked at. */
  outside(url: string): string;
}

/** @param internalUrl absent: there is but one name */
export function createPlace(publicUrl: string, internalUrl: string | undefined): Place {
  const [outer, inner] = withoutCommonEnd(publicUrl, internalUrl ?? publicUrl);
  return { inside: (url) => moved(url, outer, inner), outside: (url) => moved(url, inner, outer) };
}

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

function moved(url: string, from: string, to: string): string {
  const written = URL.parse(url)?.href ?? url;
  return written.startsWith(`${from}/`) ? to + written.slice(from.length) : url;
}
