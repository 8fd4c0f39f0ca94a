/** Owns how rows are shown in a terminal: columns as wide as their widest cell. */

export function table(rows: readonly (readonly string[])[], indent = ''): string {
  const widths = rows.reduce<readonly number[]>(
    (widest, row) => row.map((cell, n) => Math.max(cell.length, widest[n] ?? 0)),
    [],
  );
  const line = (row: readonly string[]) => row.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join('  ');
  return rows.map((row) => `${indent}${line(row)}`.trimEnd()).join('\n');
}
