/** Owns how a personal token is shown in a table, without its owner. */
import { timeOf } from '@mcp-oauth/shared/cli/list';
import type { PersonalToken } from '../../personal-tokens/token.ts';

export const rowOfToken = ({ id, name, resource, scopes, createdAt, expiresAt }: PersonalToken) => ({
  id,
  name,
  resource,
  scopes: scopes.join(' '),
  created: timeOf(createdAt),
  expires: timeOf(expiresAt),
});
