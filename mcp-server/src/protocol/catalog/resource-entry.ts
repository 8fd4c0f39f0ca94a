/** Owns a resource, or a template of resources, as it is served: its errors are found at start. */
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

/** RFC 3986 §3: a scheme, only characters that a URI may have, and no percent sign outside of an escape. */
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/;

/** @throws TypeError when the resource can't be offered */
export function resourceEntry(resource: Resource): ResourceEntry {
  const { uri, name, title, description, mimeType } = resource;
  if (!URI.test(uri)) {
    const written = normalUri(uri);
    const advice = URI.test(written) ? `; write it as ${written}` : ', such as notes://today (RFC 3986 §3)';
    throw new TypeError(`"${uri}" is not a URI${advice}`);
  }
  // Clients parse it as a URL, and discard the whole list if it is invalid.
  if (!URL.canParse(uri)) throw new TypeError(`"${uri}" is not a URI that clients can parse: check its host and port`);
  return {
    key: uri,
    scopes: [resource.scope ?? []].flat(),
    listed: { uri, name, title, description, ...(mimeType && { mimeType }) },
    name,
    mimeType,
    read: (context) => resource.read(context),
  };
}

/** @throws TypeError when the template can't be offered */
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

/** @throws TypeError when an unknown variable or argument has completions */
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
