/**
 * Owns the files of rules: they are read at start, and again when they have changed. A file that can no longer be read, or contains
 * a mistake, leaves the previous rules in force: a typo neither opens the server nor shuts everybody out.
 */
import { isUtf8 } from 'node:buffer';
import { stat } from 'node:fs/promises';
import type { Clock } from '@mcp-oauth/shared/clock';
import { StartError } from '@mcp-oauth/shared/errors';
import { readSettingFile } from '@mcp-oauth/shared/settings/file';
import type { Rule } from './rule.ts';
import { parseRuleFile } from './rule-list.ts';

export interface RuleFiles {
  rulesIn(path: string): readonly Rule[];
  /** Reads the files that have changed. Never fails. */
  refresh(): Promise<void>;
  /** Grows whenever rules have changed. */
  revision(): number;
}

export interface RuleFilesOptions {
  readonly clock: Clock;
  /** Called once for each change of a file that cannot be used. */
  readonly onTrouble: (path: string, reason: string) => void;
  /** Called for each change that counts now. */
  readonly onChange: (path: string, rules: number) => void;
  /** Why these rules can't stand in this file. Absent: any may. */
  readonly problemOf?: ((path: string, rules: readonly Rule[]) => string | undefined) | undefined;
}

/** Milliseconds between two looks at the files. */
const PAUSE = 2_000;

interface Copy {
  readonly mark: string;
  readonly rules: readonly Rule[];
  /** Why the content at the last look can't be used. It is then read again at every look: the reason may not be in the file. */
  readonly trouble?: string;
}

/** @throws StartError if a file cannot be read or contains a mistake */
export async function openRuleFiles(paths: readonly string[], options: RuleFilesOptions): Promise<RuleFiles> {
  const { clock, onTrouble, onChange, problemOf } = options;
  const copies = new Map<string, Copy>();
  let revision = 0;
  let lookedAt = clock.now();
  let looking: Promise<void> | undefined;
  for (const path of new Set(paths)) copies.set(path, { mark: await markOf(path), rules: read(path, problemOf) });

  async function look(): Promise<void> {
    for (const [path, { mark: before, rules, trouble: known }] of copies) {
      const mark = await markOf(path);
      if (mark === before && known === undefined) continue;
      try {
        const changed = read(path, problemOf);
        copies.set(path, { mark, rules: changed });
        revision += 1;
        onChange(path, changed.length);
      } catch (error) {
        const trouble = (error as Error).message;
        copies.set(path, { mark, rules, trouble });
        if (mark !== before || trouble !== known) onTrouble(path, trouble);
      }
    }
  }

  return {
    rulesIn: (path) => copies.get(path)?.rules ?? [],
    revision: () => revision,
    refresh: () => {
      // The clock may be set back, and the last look would then seem to be in the future.
      if (copies.size === 0 || Math.abs(clock.now() - lookedAt) < PAUSE) return looking ?? Promise.resolve();
      lookedAt = clock.now();
      looking ??= look().finally(() => {
        looking = undefined;
      });
      return looking;
    },
  };
}

function read(path: string, problemOf: RuleFilesOptions['problemOf']): readonly Rule[] {
  const content = readSettingFile(`the file of rules ${path}`, path);
  try {
    // A value in another encoding would match nobody, and so deny nobody.
    if (!isUtf8(content)) throw new Error('it is not UTF-8');
    const rules = parseRuleFile(content.toString('utf8'));
    const problem = problemOf?.(path, rules);
    if (problem) throw new Error(problem);
    return rules;
  } catch (cause) {
    throw new StartError(`the file of rules ${path} can't be used: ${(cause as Error).message}`, { cause });
  }
}

/** Changes with the content, also if another file takes its place, as in a Kubernetes ConfigMap. */
async function markOf(path: string): Promise<string> {
  try {
    // A copy may keep size and mtime, but nothing can keep ctime.
    const { ino, size, mtimeMs, ctimeMs } = await stat(path);
    return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}
