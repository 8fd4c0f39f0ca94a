/** Owns how the architecture rules see the code: every source file with its text and what it imports. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Import {
  /** A path from the root of the repository for code of ours, the package name for a library. */
  readonly target: string;
  readonly typeOnly: boolean;
}

export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDERS = [
  'shared/src',
  'shared/testing',
  'auth-server/src',
  'mcp-server/src',
  'development-idp/src',
  'client/src',
] as const;

export const sourceFiles = (): readonly SourceFile[] =>
  FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => parse(relative(ROOT, file).replaceAll('\\', '/'), readFileSync(file, 'utf8'))),
  );

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/g;

export function parse(path: string, text: string): SourceFile {
  const imports = [...text.matchAll(IMPORT)].map(([, type, from, dynamic]) => ({
    target: resolve(path, from ?? dynamic ?? ''),
    typeOnly: type !== undefined,
  }));
  return { path, text, imports };
}

function resolve(path: string, specifier: string): string {
  if (specifier.startsWith('.')) return posix.normalize(posix.join(dirname(path), specifier));
  const shared = /^@mcp-oauth\/shared\/(.+)$/.exec(specifier);
  if (shared) return `shared/${shared[1]?.startsWith('testing/') ? '' : 'src/'}${shared[1]}.ts`;
  const workspace = /^@mcp-oauth\/([^/]+)/.exec(specifier);
  if (workspace) return `${workspace[1]}/src`;
  return /^(@[^/]+\/[^/]+|[^/]+)/.exec(specifier)?.[1] ?? specifier;
}
