/**
 * Owns the four lists (MCP server/utilities/pagination): prepared pages, complete or without entries that the
 * caller may not use.
 */
import type { Method } from '../call.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Entry, Listing } from '../catalog/listing.ts';
import type { MethodsDependencies } from './dependencies.ts';

export function listMethod(
  { catalog, covers, hideUnpermitted }: MethodsDependencies,
  listing: (catalog: Catalog) => Listing<Entry>,
): Method {
  if (!hideUnpermitted) return ({ cursor }) => listing(catalog()).page(cursor);
  return ({ cursor }, { principal }) => listing(catalog()).page(cursor, (scopes) => covers(principal.scopes, scopes));
}
