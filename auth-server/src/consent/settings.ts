/** Owns the setting of the resources: which MCP servers get tokens from here (RFC 8707). */
import { plainHttpOutside } from '@mcp-oauth/shared/network/internal-host';
import { type Problem, setting, type Values } from '@mcp-oauth/shared/settings/config';
import { resources } from './resource-setting.ts';
import { scopeDescriptions } from './scope-description.ts';

export const resourceSettings = {
  resources: setting({
    env: 'RESOURCES',
    doc: 'The MCP servers that get tokens from here: their public origins, separated by commas, or a JSON array of objects with `url` and, where they differ from the defaults, `name`, `scopes`, `defaultScope`, `identifiers`, `audience`, `accessTokenLifetime`, `metadataUrl`. The first is the one for clients that name none. Without `scopes` (an object of names and what they allow, in words) a server says itself what its scopes are, and without `name` what it is called, in its protected-resource metadata at `metadataUrl`; in production that is http only inside the network.',
    type: resources(),
    default: 'http://localhost:8080',
    example: 'https://mcp.example.com',
  }),
  scopeDescriptions: setting({
    env: 'SCOPE_DESCRIPTIONS',
    doc: 'What scopes of your own allow, in the words that the sign-in page shows: a JSON object of scope names and texts. `scopes` of `RESOURCES` comes first. A scope without a text is shown by its name.',
    type: scopeDescriptions(),
    default: '{}',
    example: '{"notes:write":"Change your notes"}',
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
