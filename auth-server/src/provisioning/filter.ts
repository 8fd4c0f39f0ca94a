/** Owns the filters by which a provider looks a user up (RFC 7644 §3.4.2.2): one attribute that equals one value. */
import { attributeOf, invalid } from './attributes.ts';

export interface UserFilter {
  readonly attribute: 'userName' | 'externalId';
  readonly value: string;
}

const LONGEST = 2_048;

/** @throws HttpError for every other filter: an answer to less than what was asked would be wrong */
export function parseFilter(text: string): UserFilter {
  if (text.length > LONGEST) throw invalid('invalidFilter', `A filter may have ${LONGEST} characters.`);
  const [, name = '', written = ''] = /^([\w:.-]+) +eq +(.+)$/i.exec(text.trim()) ?? [];
  const attribute = attributeOf(name);
  const value = readValue(written);
  if (value === undefined || (attribute !== 'userName' && attribute !== 'externalId')) {
    throw invalid('invalidFilter', 'Supported filters are: userName eq "…" and externalId eq "…".');
  }
  return { attribute, value };
}

/** A JSON text; the documentation of Microsoft Entra has one without quotes. */
function readValue(written: string): string | undefined {
  if (!written.startsWith('"')) return /^[^\s"()[\]]+$/.test(written) ? written : undefined;
  try {
    const value: unknown = JSON.parse(written);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
