/** Owns what a provider may read about this endpoint: its features (RFC 7643 §5), its resource type (§6) and its schema (§7). */
import { listOf, notFound, USER_SCHEMA } from './answer.ts';

const CORE = 'urn:ietf:params:scim:schemas:core:2.0';

export const PAGE_SIZE = 100;

export const serviceProviderConfig = (base: string): object => ({
  schemas: [`${CORE}:ServiceProviderConfig`],
  patch: { supported: true },
  bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
  filter: { supported: true, maxResults: PAGE_SIZE },
  changePassword: { supported: false },
  sort: { supported: false },
  etag: { supported: false },
  authenticationSchemes: [
    {
      type: 'oauthbearertoken',
      name: 'Bearer token',
      description: 'The secret of this endpoint in the Authorization header (RFC 6750)',
      primary: true,
    },
  ],
  meta: { resourceType: 'ServiceProviderConfig', location: `${base}/ServiceProviderConfig` },
});

const userType = (base: string) => ({
  schemas: [`${CORE}:ResourceType`],
  id: 'User',
  name: 'User',
  endpoint: '/Users',
  description: 'Whether a person may sign in',
  schema: USER_SCHEMA,
  meta: { resourceType: 'ResourceType', location: `${base}/ResourceTypes/User` },
});

const ALWAYS = { multiValued: false, mutability: 'readWrite', returned: 'default' };

/** `externalId` is common to all resources (RFC 7643 §3.1), so no schema lists it. */
const userSchema = (base: string) => ({
  schemas: [`${CORE}:Schema`],
  id: USER_SCHEMA,
  name: 'User',
  description: 'Whether a person may sign in. The person is the one whose subject is externalId.',
  attributes: [
    {
      name: 'userName',
      type: 'string',
      description: 'Finds the user in a filter. It is not stored in a readable form and identifies nobody.',
      required: false,
      caseExact: false,
      uniqueness: 'none',
      ...ALWAYS,
    },
    { name: 'active', type: 'boolean', description: 'Whether the person may sign in', required: false, ...ALWAYS },
  ],
  meta: { resourceType: 'Schema', location: `${base}/Schemas/${USER_SCHEMA}` },
});

/** @param id of one of them; absent: the list */
export const resourceTypes = (base: string, id: string | undefined): object => oneOrAll([userType(base)], id);

export const schemas = (base: string, id: string | undefined): object => oneOrAll([userSchema(base)], id);

function oneOrAll(resources: readonly { readonly id: string }[], id: string | undefined): object {
  if (id === undefined) return listOf({ resources });
  const found = resources.find((resource) => resource.id.toLowerCase() === id.toLowerCase());
  if (!found) throw notFound();
  return found;
}
