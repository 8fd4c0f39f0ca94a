/**
 * Owns who may exchange what for what: a pure decision over the policy of the operator. What it does not name is refused.
 */
import type { Resource, Resources } from '../resources/resource.ts';
import { type Actor, actingAfter, actorsOf } from './actors.ts';
import { badSubject, badTarget, ExchangeRefused } from './refusal.ts';
import type { ExchangeRequest } from './request.ts';
import type { Subject } from './subject-token.ts';

/** What one client may do with the tokens of one MCP server. */
export interface ExchangeRule {
  readonly client: string;
  /** An identifier of the MCP server whose tokens it may exchange: its own. */
  readonly resource: string;
  /** Ids of connectors: the tokens of people there. */
  readonly connectors: readonly string[];
  /** Other MCP servers of ours. */
  readonly resources: readonly { readonly resource: string; readonly scopes: readonly string[] }[];
  /** How many clients may have acted one after the other, this one included. */
  readonly maxDepth: number;
}

export type ExchangePolicy = readonly ExchangeRule[];

export type Permission =
  | { readonly kind: 'connector'; readonly connector: string; readonly actor: Actor }
  | {
      readonly kind: 'resource';
      readonly resource: Resource;
      /** The most that the new token may have. */
      readonly scopes: readonly string[];
      readonly actor: Actor;
    };

export interface Asked extends Pick<ExchangeRequest, 'target' | 'scope'> {
  readonly client: string;
  readonly subject: Subject;
}

/** @throws ExchangeRefused */
export function permissionFor(policy: ExchangePolicy, asked: Asked, resources: Pick<Resources, 'find'>): Permission {
  const { client, subject, target, scope } = asked;
  const ofClient = policy.filter((rule) => rule.client === client);
  if (ofClient.length === 0) throw badTarget('the policy does not name this client');
  const rule = ofClient.find(({ resource }) => resources.find(resource)?.audience === subject.audience);
  if (!rule) throw badSubject(`the policy does not let this client exchange tokens for ${subject.audience}`);
  const actor = actingAfter(client, subject.actor);
  const depth = actorsOf(actor).length;
  if (depth > rule.maxDepth)
    throw badTarget(`${depth} clients would act one after the other; maxDepth is ${rule.maxDepth}`);
  if (target.kind === 'connector') {
    if (rule.connectors.includes(target.id)) return { kind: 'connector', connector: target.id, actor };
    throw badTarget('the policy does not name this connector for this client');
  }
  const resource = resources.find(target.id);
  const pair = resource && rule.resources.find((one) => resources.find(one.resource) === resource);
  if (!pair) throw badTarget('the policy does not name this resource for this client');
  return { kind: 'resource', resource, scopes: scopesFor(pair.scopes, subject, scope), actor };
}

/** Never more than the subject token has, than the policy says, or than was asked for (RFC 8693 §2.1, §5). */
function scopesFor(named: readonly string[], subject: Subject, asked: string | undefined): readonly string[] {
  const held = new Set(subject.scopes);
  const wanted = asked === undefined ? undefined : new Set(asked.split(' '));
  const scopes = named.filter((name) => held.has(name) && (wanted?.has(name) ?? true));
  if (scopes.length > 0) return scopes;
  throw new ExchangeRefused('invalid_scope', 'no requested scope is in both the subject_token and the policy');
}
