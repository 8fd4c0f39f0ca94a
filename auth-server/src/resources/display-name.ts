/** Owns a name of another server as people may see it: one line of limited length, without invisible characters. */

const LONGEST = 80;

export function displayName(name: string): string | undefined {
  const visible = name.toWellFormed().replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ');
  return [...visible.trim()].slice(0, LONGEST).join('') || undefined;
}
