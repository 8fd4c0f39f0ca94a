/** Owns how what a server offers and answers is shown as text. */
import { isObject, type JsonObject } from '@mcp-oauth/shared/json';
import type {
  CallToolResult,
  ContentBlock,
  GetPromptResult,
  Prompt,
  ReadResourceResult,
  Resource,
  ResourceTemplateType,
  Tool,
} from '@modelcontextprotocol/client';
import { typesOf } from './arguments.ts';

export interface Offered {
  readonly server: string;
  readonly revision: string;
  readonly tools: readonly Tool[];
  readonly resources: readonly Resource[];
  readonly templates: readonly ResourceTemplateType[];
  readonly prompts: readonly Prompt[];
}

export function listOf({ server, revision, tools, resources, templates, prompts }: Offered): string {
  const sections = [
    sectionOf(
      'Tools',
      tools.map((tool) => [usageOf(tool), tool.description]),
    ),
    sectionOf(
      'Resources',
      resources.map(({ uri, description }) => [uri, description]),
    ),
    sectionOf(
      'Resource templates',
      templates.map(({ uriTemplate, description }) => [uriTemplate, description]),
    ),
    sectionOf(
      'Prompts',
      prompts.map((prompt) => [promptUsageOf(prompt), prompt.description]),
    ),
  ];
  return [`${oneLine(server)} speaks ${revision}`, ...sections.filter(Boolean)].join('\n\n');
}

/** A line break in a name would begin an entry of its own. */
const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

const sectionOf = (
  title: string,
  entries: readonly (readonly [name: string, description: string | undefined])[],
): string =>
  entries.length === 0
    ? ''
    : [title, ...entries.map(([name, text]) => `  ${oneLine(name)}${text ? `\n      ${oneLine(text)}` : ''}`)].join(
        '\n',
      );

/** A tool as it is called: what may be left out stands in brackets. */
function usageOf({ name, inputSchema }: Tool): string {
  const { properties, required = [] } = inputSchema as JsonObject;
  const fields = Object.entries(isObject(properties) ? properties : {}).map(([key, field]) => {
    const word = `${key}=<${isObject(field) ? kindOf(field) : 'json'}>`;
    return Array.isArray(required) && required.includes(key) ? word : `[${word}]`;
  });
  return [name, ...fields].join(' ');
}

function kindOf(field: JsonObject): string {
  if (Array.isArray(field.enum)) return field.enum.map(String).join('|');
  return typesOf(field).join('|') || 'json';
}

const promptUsageOf = ({ name, arguments: fields = [] }: Prompt): string =>
  [name, ...fields.map((field) => (field.required ? `${field.name}=<text>` : `[${field.name}=<text>]`))].join(' ');

export function resultOf({ content = [], structuredContent }: CallToolResult): string {
  if (content.length === 0 && structuredContent !== undefined) return JSON.stringify(structuredContent, null, 2);
  return content.map(blockOf).join('\n');
}

export const messagesOf = ({ messages }: GetPromptResult): string =>
  messages.map(({ role, content }) => `${role}: ${blockOf(content)}`).join('\n\n');

export const contentsOf = ({ contents }: ReadResourceResult): string => contents.map(documentOf).join('\n');

function blockOf(block: ContentBlock): string {
  if (block.type === 'text') return block.text;
  if (block.type === 'resource') return documentOf(block.resource);
  if (block.type === 'resource_link') return `${block.name}: ${block.uri}`;
  return binary(block.mimeType, block.data);
}

const documentOf = (document: ReadResourceResult['contents'][number]): string =>
  'text' in document ? document.text : binary(document.mimeType, document.blob);

const binary = (type: string | undefined, base64: string): string =>
  `[${type ?? 'data'}, ${Buffer.byteLength(base64, 'base64')} bytes: --json has them]`;

interface Progress {
  readonly progress: number;
  readonly total?: number | undefined;
  readonly message?: string | undefined;
}

const WIDTH = 24;
const LONGEST_MESSAGE = 60;

/** The progress of a call (MCP, progress). */
export function barOf({ progress, total, message = '' }: Progress): string {
  const said = message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE - 1)}…` : message;
  // Without a total nobody knows how long the bar is.
  if (total === undefined || !(total > 0)) return `${progress} ${said}`.trim();
  const filled = Math.round(WIDTH * Math.min(1, Math.max(0, progress / total)));
  return `[${'#'.repeat(filled)}${' '.repeat(WIDTH - filled)}] ${progress}/${total} ${said}`.trimEnd();
}
