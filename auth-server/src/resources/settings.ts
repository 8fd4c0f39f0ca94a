/** Owns the settings of the resources: the MCP servers for which this server issues tokens (RFC 8707). */
import { plainHttpOutside } from '@mcp-oauth/shared/network/internal-host';
import { optional, type Problem, setting, type Values } from '@mcp-oauth/shared/settings/config';
import { integer } from '@mcp-oauth/shared/settings/types';
import { personClaims } from './person-claims.ts';
import { resources } from './resource-setting.ts';
import { scopeDescriptions } from './scope-description.ts';

export const resourceSettings = {
  resources: setting({
    env: 'RESOURCES',
    doc: 'The MCP servers that this server issues tokens for: their public URLs (`PUBLIC_URL` of each), separated by commas, or a JSON array of objects with `url` and, where they differ from the defaults, `name`, `scopes`, `defaultScope`, `identifiers`, `audience`, `accessTokenLifetime`, `metadataUrl`, `claims`. The first is used for clients that name no resource. `scopes` is an object of scope names and texts that say what they allow. Without `scopes` or `name`, they are read from the protected-resource metadata of the MCP server at `metadataUrl`; in production plain http is accepted there inside the network only.',
    type: resources(),
    default: 'http://localhost:8080',
    example: 'https://mcp.example.com',
  }),
  scopeDescriptions: setting({
    env: 'SCOPE_DESCRIPTIONS',
    doc: 'Texts that the sign-in page shows for your own scopes: a JSON object of scope names and texts. `scopes` in `RESOURCES` takes precedence. A scope without a text is shown by its name.',
    type: scopeDescriptions(),
    default: '{}',
    example: '{"notes:write":"Change your notes"}',
  }),
  tokenClaims: optional({
    env: 'TOKEN_CLAIMS',
    doc: 'What access tokens say about the person, so that tools know who calls: `name`, `username`, `email` (only a verified one), `groups`, `roles`, `org`. `claims` in `RESOURCES` replaces it for one resource. The sign-in page tells it, and a token has a claim only if the person has approved it. Not set: only the subject.',
    type: personClaims(),
    example: 'name,email',
  }),
  maxTokenClaimsSize: setting({
    env: 'MAX_TOKEN_CLAIMS_SIZE',
    doc: 'Maximum size of all these claims in one access token, in bytes as JSON; in the token they take a third more. A claim that does not fit is left out whole, and the log says so. The header limits of the MCP server (MAX_HEADER_SIZE) and of proxies in front of it must allow the token.',
    type: integer(256, 131_072),
    default: '16384',
  }),
};

type ResourceSettings = Partial<Values<typeof resourceSettings>> & { readonly environment?: string | undefined };

export function judgeResources({ resources, environment }: ResourceSettings): readonly Problem[] {
  if (environment !== 'production') return [];
  const plain = resources?.flatMap(({ identifiers }) => identifiers).find((name) => name.startsWith('http:'));
  if (plain) return [{ env: 'RESOURCES', message: `must use https in production (got "${plain}")` }];
  const outside = resources?.map(({ metadataUrl }) => plainHttpOutside(metadataUrl)).find(Boolean);
  return outside ? [{ env: 'RESOURCES', message: `metadataUrl ${outside}` }] : [];
}
