/**
 * Owns the scope with which a client asks that a person connects an account for tools: `upstream:<connector>`. It is valid where the
 * operator lets a resource use the connector, and is in no list of scopes: a resource names it when a tool needs the account.
 */
import { UPSTREAM_SCOPE } from '@mcp-oauth/shared/contract';

export interface UpstreamScope {
  readonly name: string;
  /** The id of the connector. */
  readonly connector: string;
  /** The name of the upstream for people. */
  readonly provider: string;
  /** The type of the connector, by which its scopes have words. Absent: all words that there are. */
  readonly type?: string | undefined;
  /** What tools may do at the upstream, as it names it. */
  readonly scopes: readonly string[];
}

interface Upstream {
  readonly id: string;
  readonly title: string;
  readonly type?: string | undefined;
  readonly scopes: readonly string[];
}

export const upstreamScopeName = (connector: string): string => UPSTREAM_SCOPE + connector;

export const upstreamScopeOf = ({ id, title, type, scopes }: Upstream): UpstreamScope => ({
  name: upstreamScopeName(id),
  connector: id,
  provider: title,
  type,
  scopes,
});
