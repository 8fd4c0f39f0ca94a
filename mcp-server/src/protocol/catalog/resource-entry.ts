/** Owns a resource, or a template of resources, as it is served: its mistakes are found before anybody reads it. */
import { normalUri } from '@mcp-oauth/shared/network/normal-uri';
import type { Complete, Context, Resource, ResourceContent, ResourceTemplate } from '../define.ts';
import type { Entry } from './listing.ts';
import { type UriTemplate, uriTemplate } from './uri-template.ts';

export interface ResourceEntry extends Entry {
  readonly name: string;
  readonly mimeType: string | undefined;
  read(context: Context): Promise<ResourceContent> | ResourceContent;
}

export interface TemplateEntry extends Entry {
  readonly name: string;
  readonly mimeType: string | undefined;
  readonly template: UriTemplate;
  readonly complete: ReadonlyMap<string, Complete>;
  read: ResourceTemplate['read'];
}

/** RFC 3986 §3: a scheme, no character that a URI can't have, and no percent sign that begins no escape. */
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/;

/** @throws TypeError when it can't be offered */
export function resourceEntry(resource: Resource): ResourceEntry {
  const { uri, name, title, description, mimeType } = resource;
  if (!URI.test(uri)) {
    const written = normalUri(uri);
    const advice = URI.test(written) ? `; write it as ${written}` : ', such as notes://today (RFC 3986 §3)';
    throw new TypeError(`"${uri}" is no URI${advice}`);
  }
  // Clients read it with a URL type, and leave out the whole list when they can't.
  if (!URL.canParse(uri)) throw new TypeError(`"${uri}" is no URI that clients can read: look at its host and port`);
  return {
    key: uri,
    scopes: [resource.scope ?? []].flat(),
    listed: { uri, name, title, description, ...(mimeType && { mimeType }) },
    name,
    mimeType,
    read: (context) => resource.read(context),
  };
}

/** @throws TypeError when it can't be offered */
export function templateEntry(resource: ResourceTemplate): TemplateEntry {
  const { uriTemplate: text, name, title, description, mimeType } = resource;
  const template = uriTemplate(text);
  return {
    key: text,
    scopes: [resource.scope ?? []].flat(),
    listed: { uriTemplate: text, name, title, description, ...(mimeType && { mimeType }) },
    name,
    mimeType,
    template,
    complete: completions(resource.complete, template.variables),
    read: (variables, context) => resource.read(variables, context),
  };
}

/** @throws TypeError when something is to be completed that is not there */
export function completions(
  complete: Readonly<Record<string, Complete>> | undefined,
  names: readonly string[],
): ReadonlyMap<string, Complete> {
  const all = new Map(Object.entries(complete ?? {}));
  const stray = [...all.keys()].find((name) => !names.includes(name));
  if (stray !== undefined) {
    throw new TypeError(
      `complete has "${stray}", which it does not take; it takes ${names.map((name) => `"${name}"`).join(', ')}`,
    );
  }
  return all;
}
