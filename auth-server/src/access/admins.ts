/**
 * Owns who may use the pages of the operator: the people whom ADMINS names, and nobody without it. An address counts only if the
 * identity provider says that it is verified. A group counts only if the provider reported it.
 */
import type { Identity } from '../federation/connector.ts';
import { matching } from './decision.ts';
import type { RuleIndex } from './rules/rule-list.ts';

/** @param admins absent: nobody. `anyone` is refused at the start, and does not count here either */
export const isAdmin = (identity: Identity, admins: RuleIndex | undefined): boolean => {
  const rule = admins && matching(identity, admins);
  return rule !== undefined && rule.type !== 'anyone';
};
