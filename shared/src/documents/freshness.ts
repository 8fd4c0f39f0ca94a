/** Owns how long a document is fresh: as long as its host says (RFC 9111 §4.2), within our own bounds. */

/** Seconds. */
export interface FreshnessBounds {
  readonly min: number;
  readonly max: number;
  /** Used if the host says nothing. */
  readonly usual: number;
}

type FieldsByName = Readonly<Record<string, string | undefined>>;

/**
 * @param headers by their names in lower case
 * @returns seconds from the time of the answer
 */
export function freshFor(headers: FieldsByName, { min, max, usual }: FreshnessBounds): number {
  return Math.max(min, Math.min(max, said(headers) ?? usual));
}

function said(headers: FieldsByName): number | undefined {
  const directives = new Map(
    (headers['cache-control'] ?? '').split(',').map((directive): [string, number] => {
      const [name = '', value = ''] = directive.trim().toLowerCase().split('=');
      return [name, Number(value.replaceAll('"', ''))];
    }),
  );
  if (['no-store', 'no-cache', 'private'].some((name) => directives.has(name))) return 0;
  const age = Number(headers.age ?? 0) || 0;
  const lifetime = directives.get('s-maxage') ?? directives.get('max-age');
  if (lifetime !== undefined) return Number.isFinite(lifetime) ? lifetime - age : 0;
  if (headers.expires === undefined) return undefined;
  const ends = Date.parse(headers.expires);
  const answered = Date.parse(headers.date ?? '');
  // RFC 9111 §5.3: an invalid date counts as in the past.
  return Number.isNaN(ends) ? 0 : Number.isNaN(answered) ? undefined : (ends - answered) / 1000;
}
