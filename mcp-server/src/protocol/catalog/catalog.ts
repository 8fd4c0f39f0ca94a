/**
 * Owns the set of tools, resources, templates and prompts that this server offers, checked and compiled once, never
 * per request. A definition that can't be offered is reported, and does not affect the others.
 */
import { StartError } from '@mcp-oauth/shared/errors';
import { normalUri } from '@mcp-oauth/shared/network/normal-uri';
import type { Scoped } from '../../authorization/scope.ts';
import { requireJson } from '../author-fault.ts';
import type { Change } from '../changes/changes.ts';
import type { JsonSchemaTool, Prompt, Resource, ResourceTemplate, Tool } from '../define.ts';
import type { ToolSummary } from '../endpoints.ts';
import { readSource, type Source } from './files/source.ts';
import { createSchemaCompiler } from './json-schema.ts';
import { createListing, type Entry, type Listing } from './listing.ts';
import { type PromptEntry, promptEntry } from './prompt-entry.ts';
import { type ResourceEntry, resourceEntry, type TemplateEntry, templateEntry } from './resource-entry.ts';
import { type ToolEntry, toolEntry } from './tool-entry.ts';
import { namedUri, normalTemplate } from './uri-template.ts';

export interface Catalog {
  readonly tools: Listing<ToolEntry>;
  readonly prompts: Listing<PromptEntry>;
  readonly resources: Listing<ResourceEntry>;
  readonly templates: Listing<TemplateEntry>;
  readonly summaries: readonly ToolSummary[];
  readonly scoped: Scoped;
  /** The template that matches a URI; of several, the most specific one. */
  templateOf(uri: string): Templated | undefined;
}

interface Templated {
  readonly entry: TemplateEntry;
  readonly variables: Readonly<Record<string, string>>;
}

/** Why a definition is not offered. */
export interface Problem {
  readonly from: string;
  /** The line of that file, if it is known. */
  readonly line?: number;
  readonly reason: string;
}

export interface Compiled {
  readonly catalog: Catalog;
  readonly problems: readonly Problem[];
}

/** The first of two definitions with the same name stays. */
export function compileCatalog(sources: readonly Source[]): Compiled {
  const compile = createSchemaCompiler();
  const [tools, prompts] = [new Collected<ToolEntry>('tool'), new Collected<PromptEntry>('prompt')];
  const resources = new Collected<ResourceEntry>('resource', normalUri);
  const templates = new Collected<TemplateEntry>('resource', normalTemplate);
  const problems: Problem[] = [];
  const add = ({ kind, value, from }: Source): void => {
    if (kind === 'tool') tools.add(toolEntry(value, compile), from);
    else if (kind === 'prompt') prompts.add(promptEntry(value), from);
    else if ('uri' in value) resources.add(resourceEntry(value), from);
    else templates.add(templateEntry(value), from);
  };
  for (const source of sources) {
    try {
      add(source);
    } catch (error) {
      problems.push({ from: source.from, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  const catalog = catalogOf({
    tools: createListing('tools', tools.entries),
    prompts: createListing('prompts', prompts.entries),
    resources: createListing('resources', resources.entries, normalUri),
    templates: createListing('resourceTemplates', templates.entries, normalTemplate),
  });
  return { catalog, problems };
}

class Collected<E extends Entry> {
  readonly entries: E[] = [];
  readonly #kind: string;
  readonly #normal: (key: string) => string;
  readonly #from = new Map<string, string>();

  /** @param normal normalizes a name, so that equivalent names are equal */
  constructor(kind: string, normal = (key: string): string => key) {
    this.#kind = kind;
    this.#normal = normal;
  }

  add(entry: E, from: string): void {
    // An entry that can't be written as JSON would break the list for everybody.
    requireJson(entry.listed, 'the entry in the list');
    const key = this.#normal(entry.key);
    const earlier = this.#from.get(key);
    if (earlier) throw new TypeError(`two ${this.#kind}s are named ${entry.key}: ${earlier} and ${from}`);
    this.#from.set(key, from);
    this.entries.push(entry);
  }
}

type Listings = Pick<Catalog, 'tools' | 'prompts' | 'resources' | 'templates'>;

function catalogOf(listings: Listings): Catalog {
  const exactFirst = listings.templates.entries.toSorted((a, b) => b.template.literal - a.template.literal);
  const templateOf = (uri: string): Templated | undefined => {
    const named = namedUri(uri);
    for (const entry of exactFirst) {
      const variables = entry.template.match(named);
      if (variables) return { entry, variables };
    }
    return undefined;
  };
  return {
    ...listings,
    summaries: listings.tools.entries.map(summary),
    scoped: scopedOf(listings, templateOf),
    templateOf,
  };
}

const summary = ({ listed: { name, title, description, annotations }, scopes }: ToolEntry): ToolSummary => ({
  name,
  title,
  description,
  scopes,
  readOnly: annotations?.readOnlyHint === true,
});

function scopedOf({ tools, prompts, resources, templates }: Listings, templateOf: Catalog['templateOf']): Scoped {
  const all = [tools, prompts, resources, templates].flatMap((listing) =>
    listing.entries.flatMap(({ scopes }) => scopes),
  );
  const none: readonly string[] = [];
  return {
    declared: [...new Set(all)],
    tool: (name) => tools.find(name)?.scopes ?? none,
    prompt: (name) => prompts.find(name)?.scopes ?? none,
    resource: (uri) => (resources.find(uri) ?? templates.find(uri) ?? templateOf(uri)?.entry)?.scopes ?? none,
  };
}

type Definition = Tool | JsonSchemaTool | Resource | ResourceTemplate | Prompt;

/** Creates a catalog of the given definitions. @throws StartError when one of them can't be offered */
export function createCatalog(definitions: readonly Definition[]): Catalog {
  const fail = ({ from, reason }: Problem) => new StartError(`${from}: ${reason}`);
  const sources = definitions.map((value, index): Source => {
    const from = `definition ${index + 1}`;
    const kind = 'render' in value ? 'prompt' : 'read' in value ? 'resource' : 'tool';
    try {
      return readSource(kind, value, from);
    } catch (error) {
      throw fail({ from, reason: error instanceof Error ? error.message : String(error) });
    }
  });
  const { catalog, problems } = compileCatalog(sources);
  const [problem] = problems;
  if (problem) throw fail(problem);
  return catalog;
}

/** The lists that differ between two catalogs: clients are notified of them. */
export function changesBetween(before: Catalog, after: Catalog): readonly Change[] {
  const lists = {
    tools: ({ tools }: Catalog) => [tools],
    prompts: ({ prompts }: Catalog) => [prompts],
    resources: ({ resources, templates }: Catalog) => [resources, templates],
  };
  const kinds = ['tools', 'prompts', 'resources'] as const;
  const shown = (catalog: Catalog, kind: (typeof kinds)[number]) =>
    JSON.stringify(lists[kind](catalog).map(({ entries }) => entries.map(({ listed, scopes }) => [listed, scopes])));
  return kinds.filter((kind) => shown(before, kind) !== shown(after, kind)).map((kind) => ({ kind }));
}
