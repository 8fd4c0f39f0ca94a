/** Owns whether an account of a person is connected as far as tools need it. */
import type { OpenTools } from '../federation/registry.ts';
import type { Connections, ShownConnection } from '../vault/connections/connections.ts';

/** What tools need: an account at this connector, with these scopes. */
export interface NeededAccount {
  readonly connector: string;
  readonly scopes: readonly string[];
}

/** Whether tools can't use it for these scopes: it is not connected, not any more, or with fewer scopes. */
export const isLacking = (connection: ShownConnection | undefined, scopes: readonly string[]): boolean =>
  !connection || connection.hasEnded || !scopes.every((scope) => connection.scopes.includes(scope));

/** What is asked for at the upstream: an upstream may give the new scopes alone, so those of now are asked for again. */
export const scopesToAsk = (
  { scopes: offered }: Pick<OpenTools, 'scopes'>,
  scopes: readonly string[],
  now: ShownConnection | undefined,
): readonly string[] => {
  const kept = now?.hasEnded === false ? now.scopes.filter((scope) => offered.includes(scope)) : [];
  return [...new Set([...kept, ...scopes])];
};

/** @returns the first of these accounts that is not connected as far as needed */
export async function firstMissing<Needed extends NeededAccount>(
  accountId: string,
  needed: readonly Needed[],
  { find }: Pick<Connections, 'find'>,
): Promise<Needed | undefined> {
  for (const one of needed) {
    if (isLacking(await find({ connector: one.connector, accountId }), one.scopes)) return one;
  }
  return undefined;
}

/** Whether any of these accounts is missing, for who must not know the vault. */
export type LacksAccount = (accountId: string, needed: readonly NeededAccount[]) => Promise<boolean>;

export const lacksAccount =
  (connections: Pick<Connections, 'find'>): LacksAccount =>
  async (accountId, needed) =>
    (await firstMissing(accountId, needed, connections)) !== undefined;
