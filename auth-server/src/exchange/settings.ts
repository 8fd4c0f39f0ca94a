/** Owns the setting of token exchange (RFC 8693), and whether its policy fits the rest of the configuration. */
import { canonicalResource } from '@mcp-oauth/shared/contract';
import { optional, type Problem, type Values } from '@mcp-oauth/shared/settings/config';
import { familyPrefix } from '@mcp-oauth/shared/settings/family';
import { type Client, EXCHANGE_GRANT } from '../clients/client.ts';
import type { ResourceSetting } from '../resources/resource.ts';
import type { ExchangeRule } from './policy.ts';
import { exchangePolicy } from './policy-file.ts';

export const exchangeSettings = {
  exchangePolicy: optional({
    env: 'EXCHANGE_POLICY',
    doc: 'A JSON file that says which MCP server may exchange the access tokens that it gets (RFC 8693), so that its tools can act for the person: `{"clients":[{"client":"mcp-server","resource":"https://mcp.example.com/mcp","connectors":["github"],"resources":[{"resource":"https://billing.example.com/mcp","scopes":["mcp:tools"]}],"maxDepth":1}]}`. `client` is a client of CLIENTS with `private_key_jwt` and the grant type `urn:ietf:params:oauth:grant-type:token-exchange`; `resource` the MCP server whose tokens it may exchange; `connectors` whose tokens of the person it gets; `resources` the other MCP servers for which it gets a token, with the scopes that this may have; `maxDepth` how many clients may act one after the other (default 1). What the file does not name is refused. It is read at start and needs STATUS_LISTS=on. Not set: nothing can be exchanged.',
    type: exchangePolicy(),
    example: '/etc/mcp/exchange.json',
  }),
};

interface Judged extends Partial<Values<typeof exchangeSettings>> {
  readonly clients?: readonly Client[];
  readonly resources?: readonly Pick<ResourceSetting, 'identifiers'>[];
  readonly statusLists?: string;
  /** Ids of all connectors. */
  readonly connectors?: readonly string[];
  /** Ids of those whose tokens tools may get; absent if one can't be read, which is a problem of its own. */
  readonly tools?: readonly string[] | undefined;
}

/** A rule that never fits looks like a permission. */
export function judgeExchange(judged: Judged): readonly Problem[] {
  const { exchangePolicy: policy, clients, resources, statusLists, connectors = [], tools } = judged;
  if (!policy) return [];
  const problems = policy.flatMap((rule, n) =>
    [
      ...(clients ? judgeClient(rule, clients) : []),
      ...(resources ? judgeResources(rule, resources) : []),
      ...(tools ? judgeConnectors(rule, tools, connectors) : []),
      ...(policy.findIndex((other) => isSamePair(other, rule)) < n
        ? ['has the same client and resource as another entry']
        : []),
    ].map((problem) => `client ${JSON.stringify(rule.client)}: ${problem}`),
  );
  // Without it the ending of a grant would not reach the tokens that were exchanged.
  if (statusLists === 'off') problems.push('needs STATUS_LISTS=on');
  return problems.length > 0 ? [{ env: 'EXCHANGE_POLICY', message: problems.join('; ') }] : [];
}

function judgeClient({ client: id }: ExchangeRule, clients: readonly Client[]): readonly string[] {
  const client = clients.find(({ client_id }) => client_id === id);
  if (!client) return ['is not in CLIENTS: exchange-key --client, a command of mcp-server, prints its entry'];
  return client.grant_types.includes(EXCHANGE_GRANT) ? [] : [`lacks the grant type ${EXCHANGE_GRANT} in CLIENTS`];
}

function judgeResources(rule: ExchangeRule, known: NonNullable<Judged['resources']>): readonly string[] {
  const find = (identifier: string) =>
    known.find(({ identifiers }) => identifiers.some((one) => isSame(one, identifier)));
  const own = find(rule.resource);
  const targets = rule.resources.map(({ resource }) => resource);
  return [
    ...[rule.resource, ...targets].filter((one) => !find(one)).map((one) => `${one} is not in RESOURCES`),
    ...targets.filter((one) => own && find(one) === own).map((one) => `${one} is its own resource`),
  ];
}

const judgeConnectors = (
  { connectors }: ExchangeRule,
  tools: readonly string[],
  known: readonly string[],
): readonly string[] =>
  connectors
    .filter((id) => !tools.includes(id))
    .map((id) =>
      known.includes(id)
        ? `the connector ${JSON.stringify(id)} is not for tools: add tools to ${familyPrefix('CONNECTOR', id)}USE`
        : `the connector ${JSON.stringify(id)} is not in CONNECTORS`,
    );

const isSame = (a: string, b: string): boolean => canonicalResource(a) === canonicalResource(b);

const isSamePair = (a: ExchangeRule, b: ExchangeRule): boolean =>
  a.client === b.client && isSame(a.resource, b.resource);
