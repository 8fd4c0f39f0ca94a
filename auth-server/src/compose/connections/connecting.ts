/** Owns how people connect accounts for tools, as the settings say: at which upstreams, by which links, and for which resources. */
import { randomBytes } from 'node:crypto';
import { canonicalResource } from '@mcp-oauth/shared/contract';
import type { Config } from '../../config.ts';
import { createLinks, type Links } from '../../connecting/links.ts';
import { createQuestions, type Questions } from '../../connecting/questions.ts';
import type { ExchangePolicy } from '../../exchange/policy.ts';
import type { OpenTools } from '../../federation/registry.ts';
import { type UpstreamScope, upstreamScopeOf } from '../../resources/upstream-scope.ts';
import type { Connections } from '../../vault/connections/connections.ts';
import type { Dependencies } from '../dependencies.ts';

export interface Connecting {
  readonly tools: readonly OpenTools[];
  readonly connections: Connections;
  readonly links: Links;
  readonly questions: Questions;
}

interface ConnectingDependencies extends Pick<Dependencies, 'clock' | 'store'> {
  readonly tools: readonly OpenTools[];
  /** Absent: no connector is for tools. */
  readonly connections: Connections | undefined;
}

/** @returns nothing if no connector is for tools */
export function composeConnecting(
  { issuer }: Pick<Config, 'issuer'>,
  { store, clock, tools, connections }: ConnectingDependencies,
): Connecting | undefined {
  if (!connections) return undefined;
  const links = createLinks({ issuer, store, random: randomBytes });
  return { tools, connections, links, questions: createQuestions({ links, store, clock }) };
}

/** The accounts that the tools of a resource may use by the policy, from its identifiers. */
export const upstreamsBy =
  (policy: ExchangePolicy = [], tools: readonly OpenTools[]) =>
  (identifiers: readonly string[]): readonly UpstreamScope[] => {
    const own = new Set(identifiers.map(canonicalResource));
    const rules = policy.filter(({ resource }) => own.has(canonicalResource(resource)));
    const ids = new Set(rules.flatMap(({ connectors }) => connectors));
    return tools.filter(({ id }) => ids.has(id)).map(upstreamScopeOf);
  };
