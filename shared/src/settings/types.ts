/** Owns the types of values that a setting can have: each is parsed from text and has a message that says what was expected. */
import { z } from 'zod';

const parsed = <T>(expected: string, parse: (text: string) => T | undefined): z.ZodType<T, string> =>
  z.string().transform((text, context): T => {
    const value = parse(text.trim());
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: `expected ${expected}` });
    return z.NEVER;
  });

export const text = (): z.ZodType<string, string> => z.string();

export const oneOf = <const T extends string>(...choices: readonly T[]): z.ZodType<T, string> =>
  parsed(`one of ${choices.join(', ')}`, (value) => choices.find((choice) => choice === value));

export const flag = (): z.ZodType<boolean, string> =>
  parsed('true or false', (value) => (value === 'true' ? true : value === 'false' ? false : undefined));

export const integer = (min: number, max: number): z.ZodType<number, string> =>
  parsed(`a whole number from ${min} to ${max}`, (value) =>
    /^\d+$/.test(value) && Number(value) >= min && Number(value) <= max ? Number(value) : undefined,
  );

export const port = (): z.ZodType<number, string> => integer(0, 65_535);

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

const LENGTH = 'a duration such as 30s, 10m, 12h or 90d';

const secondsOf = (text: string): number => {
  const [, count, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  return Number(count) * (UNITS[unit ?? ''] ?? Number.NaN);
};

/** In the largest unit in which it is a whole number. */
const lengthOf = (seconds: number): string => {
  const [unit, size] = Object.entries(UNITS).findLast(([, one]) => seconds % one === 0) ?? ['s', 1];
  return `${seconds / size}${unit}`;
};

const TEN_YEARS = 10 * 365 * 86_400;

/** A duration in whole seconds, written `30s`, `10m`, `12h` or `90d`. */
export const duration = (min = 1, max = TEN_YEARS): z.ZodType<number, string> =>
  parsed(`${LENGTH} (from ${min}s to ${lengthOf(max)})`, (value) => {
    const total = secondsOf(value);
    return total >= min && total <= max ? total : undefined;
  });

/** The same, or `off`, which is 0. */
export const durationOrOff = (min = 1, max = TEN_YEARS): z.ZodType<number, string> =>
  parsed(`${LENGTH} (from ${min}s to ${lengthOf(max)}), or off`, (value) => {
    const total = value === 'off' ? 0 : secondsOf(value);
    return value === 'off' || (total >= min && total <= max) ? total : undefined;
  });

/** Values separated by commas or spaces. @throws Error when a value between two commas is empty: it may be a mistake */
export function membersOf(text: string): readonly string[] {
  const members = text.split(',').map((member) => member.trim());
  if (members.length > 1 && members.includes(''))
    throw new Error('has an empty value: two commas in a row, or a comma at an end');
  return members.flatMap((member) => member.split(/\s+/)).filter(Boolean);
}

/** Values separated by commas or spaces, none twice. */
export const list = (): z.ZodType<readonly string[], string> =>
  parsed('values separated by commas', (value) => [...new Set(value.split(/[\s,]+/).filter(Boolean))]);

/**
 * A list of values that are compared exactly: none is empty, and none is a pattern.
 * @param asterisk `literal` if a value may contain it; else it is refused, because somebody may take it for a wildcard
 */
export const exactList = (asterisk: 'refused' | 'literal' = 'refused'): z.ZodType<readonly string[], string> =>
  listOf('values separated by commas', (members) => {
    if (asterisk === 'refused' && members.some((member) => member.includes('*'))) {
      throw new Error('expected each value in full: wildcards are not supported');
    }
    return [...new Set(members)];
  });

function listOf<T>(expected: string, read: (members: readonly string[]) => T | undefined): z.ZodType<T, string> {
  return z.string().transform((text, context): T => {
    let message = `expected ${expected}`;
    try {
      const value = read(membersOf(text));
      if (value !== undefined) return value;
    } catch (error) {
      message = (error as Error).message;
    }
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}

/** Secret keys in base64, 32 bytes each, separated by commas or spaces. */
export const secretKeys = (): z.ZodType<readonly [Buffer, ...Buffer[]], string> =>
  listOf('32 bytes in base64 for each key', (members) => {
    const [first, ...others] = members.map((text) => Buffer.from(text, 'base64'));
    return first && [first, ...others].every(({ length }) => length === 32) ? [first, ...others] : undefined;
  });

/** Origins separated by commas or spaces. */
export const origins = (): z.ZodType<readonly string[], string> =>
  listOf('origins such as https://app.example.com, separated by commas', (members) => {
    const all = members.map(originOf);
    return all.every((one) => one !== undefined) ? all : undefined;
  });

/** An http(s) origin, `https://mcp.example.com`: no path, query, fragment or user; returned without a slash. */
export const origin = (): z.ZodType<string, string> =>
  parsed('an origin such as https://mcp.example.com, without a path', originOf);

/**
 * The URL of a service that may be below a path, `https://example.com/tools`: no query, fragment or user; returned without a slash at
 * its end. Its path has only one spelling, because URLs that are built from it are compared as text.
 */
export const baseUrl = (): z.ZodType<string, string> =>
  parsed('a URL such as https://mcp.example.com or https://example.com/tools, without query and fragment', (value) => {
    const url = httpUrl(value);
    if (!url || value.includes('?') || url.hostname.includes('*')) return undefined;
    const path = pathOf(value).replace(/\/$/, '');
    const isPlain = PLAIN_PATH.test(path) && !WELL_KNOWN.test(path) && path === url.pathname.replace(/\/$/, '');
    return isPlain ? url.origin + path : undefined;
  });

function originOf(value: string): string | undefined {
  const url = httpUrl(value);
  return url && url.pathname === '/' && !url.search && !url.hostname.includes('*') ? url.origin : undefined;
}

/** An http(s) URL without query or fragment, returned as it was written, without a trailing slash. */
export const url = (): z.ZodType<string, string> =>
  parsed('an http or https URL without query and fragment', (value) => {
    const candidate = httpUrl(value);
    return candidate && !candidate.search ? value.replace(/\/$/, '') : undefined;
  });

/** An issuer identifier (RFC 8414 §2), returned exactly as it was written: tokens are compared with it by character. */
export const issuer = (): z.ZodType<string, string> =>
  parsed('an issuer such as https://auth.example.com, without query and fragment', (value) =>
    httpUrl(value) && !value.includes('?') && !value.includes('#') ? value : undefined,
  );

/** An issuer that is ours (RFC 8414 §2), with or without a path, exactly as written: a value that is compared as text must not be normalized. */
export const ownIssuer = (): z.ZodType<string, string> =>
  z.string().transform((given, context) => {
    const value = given.trim();
    const flaw = flawOfIssuer(value);
    if (flaw) context.addIssue({ code: 'custom', message: flaw });
    return value;
  });

/** Path segments with only one spelling, which no client, proxy or library rewrites. */
const PLAIN_PATH = /^(\/[A-Za-z0-9._~-]+)*$/;

const WELL_KNOWN = /^\/\.well-known(\/|$)/;

/** The path of a URL as it is written, with `.` and `..`. */
const pathOf = (url: string): string => url.replace(/^[^:]+:\/\/[^/\\]+/, '');

function flawOfIssuer(value: string): string | undefined {
  if (value.includes('?')) return 'must not have a query';
  if (value.includes('#')) return 'must not have a fragment';
  const url = URL.parse(value);
  if (!url || !/^https?:\/\//i.test(value)) return 'expected a URL such as https://auth.example.com';
  if (url.username || url.password) return 'must not contain a user';
  if (value.endsWith('/')) return 'must not end with a slash';
  const path = pathOf(value);
  if (/\/\.\.?(\/|$)/.test(path)) return 'must not have the segments . or ..';
  if (!PLAIN_PATH.test(path)) return 'may only contain letters, digits and - . _ ~ in the segments of its path';
  if (WELL_KNOWN.test(path)) return 'must not be below /.well-known';
  const written = url.origin + path;
  return written === value ? undefined : `must be written as ${written}`;
}

/** Two URLs with a comma between them are one with an odd host to a parser. */
function httpUrl(value: string): URL | undefined {
  const candidate = /,\s*https?:/i.test(value) ? null : URL.parse(value);
  const plain = candidate && !candidate.hash && !candidate.username && !candidate.password;
  return plain && /^https?:$/.test(candidate.protocol) ? candidate : undefined;
}
