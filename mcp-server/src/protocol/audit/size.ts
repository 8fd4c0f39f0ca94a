/** Owns the size of a JSON value: characters of its text, without writing it, and without the escapes in it. */

export function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return value === undefined ? 0 : String(value).length;
  let size = 2;
  if (Array.isArray(value)) {
    for (const member of value) size += sizeOf(member) + 1;
    return Math.max(2, size - 1);
  }
  const members = value as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(members)) {
    const member = members[name];
    if (member !== undefined) size += name.length + 4 + sizeOf(member);
  }
  return Math.max(2, size - 1);
}
