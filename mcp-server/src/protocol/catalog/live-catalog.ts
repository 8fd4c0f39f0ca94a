/**
 * Owns the catalog of a running server: the built-in and the mounted definitions, and in development the current
 * state of the mounted files. A broken definition is logged and left out; the last valid version of a changed file
 * stays.
 */
import { fileURLToPath } from 'node:url';
import { StartError } from '@mcp-oauth/shared/errors';
import type { Logger } from '@mcp-oauth/shared/logger';
import type { Change } from '../changes/changes.ts';
import { type Catalog, changesBetween, compileCatalog, type Problem } from './catalog.ts';
import { type Found, findIn, refuseAny } from './files/load.ts';
import { allowImportsFrom } from './files/mounted-imports.ts';
import { missingUpstreams, rivals, type Source } from './files/source.ts';
import { watchFolder } from './files/watch-folder.ts';

export interface LiveCatalog {
  readonly current: () => Catalog;
  /** Announces a change after it has happened. */
  onChange(listener: (change: Change) => Promise<void>): void;
  close(): void;
}

export interface Mount {
  /** URL with a trailing slash. */
  readonly folder: URL;
  /** Whether the server refuses to start when a definition is broken. */
  readonly strict: boolean;
  /** Whether the catalog follows changes while the server runs. */
  readonly watch: boolean;
  /** Ids of the configured upstreams; absent: there are none. */
  readonly upstreams?: ReadonlySet<string>;
}

/** A catalog that never changes. */
export const fixedCatalog = (catalog: Catalog): LiveCatalog => ({
  current: () => catalog,
  onChange: () => {},
  close: () => {},
});

/**
 * @param builtIn the definitions of the server itself
 * @throws StartError when the folder does not exist, or a definition is broken and the start is strict
 */
export async function openCatalog(builtIn: readonly Source[], mount: Mount, log: Logger): Promise<LiveCatalog> {
  const { folder, watch, strict } = mount;
  const catalog = new MountedCatalog(builtIn, mount, log);
  const imports = naming(() => allowImportsFrom(folder));
  // Watches before it reads, so that no change in between is missed.
  const watching = watch ? watchFolder(folder, () => catalog.reload(), log) : undefined;
  const close = () => {
    watching?.close();
    imports.close();
  };
  try {
    await catalog.load(strict);
  } catch (error) {
    close();
    throw error;
  }
  return { current: catalog.current, onChange: catalog.onChange, close };
}

/** @throws StartError that names the setting and the problem of the folder */
function naming<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw inSetting(error);
  }
}

const inSetting = (error: unknown): unknown =>
  error instanceof StartError ? new StartError(`TOOLS_DIR: ${error.message}`, { cause: error }) : error;

const EXPECTED = 'files that end in .tool.ts, .resource.ts or .prompt.ts, or in the same with .js';

/** Maximum number of other files in one line of the log. */
const MOST_OTHERS = 50;

class MountedCatalog {
  readonly #builtIn: readonly Source[];
  readonly #folder: URL;
  readonly #upstreams: ReadonlySet<string>;
  readonly #log: Logger;
  /** The definitions that were valid when they were last read. */
  #whole: readonly Source[] = [];
  #catalog: Catalog;
  #version = 0;
  #reading: Promise<void> = Promise.resolve();
  #listener: (change: Change) => Promise<void> = async () => {};

  constructor(builtIn: readonly Source[], { folder, upstreams = new Set() }: Mount, log: Logger) {
    this.#builtIn = builtIn;
    this.#folder = folder;
    this.#upstreams = upstreams;
    this.#log = log;
    this.#catalog = compileCatalog(builtIn).catalog;
  }

  readonly current = (): Catalog => this.#catalog;

  readonly onChange = (listener: (change: Change) => Promise<void>): void => {
    this.#listener = listener;
  };

  load(strict: boolean): Promise<void> {
    return this.#inTurn(async () => {
      const found = await this.#find();
      const problems = this.#take(found);
      if (strict) refuseAny(problems);
      this.#report('mounted files read', 'mounted file left out: it is broken', problems);
      this.#reportOthers(found);
    });
  }

  /** Reads all files again; never rejects. */
  reload(): Promise<void> {
    return this.#inTurn(async () => {
      this.#version += 1;
      const before = this.#catalog;
      const problems = this.#take(await this.#find());
      this.#report('mounted files read again', 'mounted file not taken: it is broken', problems);
      const notTold = (err: unknown) => this.#log.warn({ err }, 'change of the mounted files not announced');
      for (const change of changesBetween(before, this.#catalog)) await this.#listener(change).catch(notTold);
    }).catch((err: unknown) => this.#log.error({ err, folder: this.#path }, 'mounted files not read'));
  }

  /** One after the other: a slow read must not replace the result of a later one. */
  #inTurn(read: () => Promise<void>): Promise<void> {
    const turn = this.#reading.then(read);
    this.#reading = turn.catch(() => {});
    return turn;
  }

  #find(): Promise<Found> {
    return findIn(this.#folder, this.#version).catch((error: unknown) => {
      throw inSetting(error);
    });
  }

  /** Replaces everything at once: no request sees a partial update. */
  #take(found: Found): readonly Problem[] {
    const served = new Set(this.#whole.map(({ from }) => from));
    const doubled = [...rivals(found.sources, served), ...this.#lacking(found.sources)];
    const rest = found.sources.filter(({ from }) => !doubled.some((problem) => problem.from === from));
    const problems = [...found.problems, ...doubled, ...compileCatalog([...this.#builtIn, ...rest]).problems];
    const broken = new Set(problems.map(({ from }) => from));
    this.#whole = [
      ...rest.filter(({ from }) => !broken.has(from)),
      ...this.#whole.filter(({ from }) => broken.has(from)),
    ];
    this.#catalog = compileCatalog([...this.#builtIn, ...this.#whole]).catalog;
    return problems;
  }

  #lacking(sources: readonly Source[]): readonly Problem[] {
    return sources.flatMap((source) => {
      const missing = missingUpstreams(source, this.#upstreams);
      const reason = `it acts at ${missing.join(', ')}, which UPSTREAMS does not name`;
      return missing.length === 0 ? [] : [{ from: source.from, reason }];
    });
  }

  #report(event: string, failure: string, problems: readonly Problem[]): void {
    for (const { from, line, reason } of problems) {
      this.#log.error({ file: from, ...(line !== undefined && { line }), reason }, failure);
    }
    const { tools, resources, templates, prompts } = this.#catalog;
    const counts = [tools, resources, templates, prompts].map(({ entries }) => entries.length);
    const [tool, resource, template, prompt] = counts;
    this.#log.info(
      { folder: this.#path, tools: tool, resources: resource, templates: template, prompts: prompt },
      event,
    );
  }

  #reportOthers({ sources, problems, others }: Found): void {
    if (sources.length === 0 && problems.length === 0)
      this.#log.warn({ folder: this.#path, expected: EXPECTED }, 'no definition in TOOLS_DIR');
    if (others.length > 0) {
      const files = others.slice(0, MOST_OTHERS);
      this.#log.info({ folder: this.#path, files, more: others.length - files.length }, 'other files in TOOLS_DIR');
    }
  }

  get #path(): string {
    return fileURLToPath(this.#folder);
  }
}
