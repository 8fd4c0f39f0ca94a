/** Owns what ends with a person: all of their connections, and with which refusals of a gate; and what ends with one approval. */
import type { Gate } from '../../access/gate.ts';
import type { Vault } from '../vault.ts';
import { disconnected, takenFrom } from './changes.ts';
import type { Connection } from './connection.ts';
import type { RevokeTokens } from './revocation.ts';

/** Deletes the tokens of all connections of a person, and ends them at the upstreams as far as these answer. */
export type EndConnections = (accountId: string) => Promise<void>;

/**
 * @param connectors ids of the connectors for tools
 * @param revoke called after the tokens are deleted; the ending lasts as long as this
 */
export const createEndConnections =
  (vault: Pick<Vault, 'change'>, connectors: readonly string[], revoke: RevokeTokens): EndConnections =>
  async (accountId) => {
    const ended = connectors.map(async (connector) => {
      const holder = { connector, accountId };
      let session: Connection['session'];
      const changed = await vault.change(holder, (record) => {
        session = record?.connection?.session;
        return disconnected(record);
      });
      if (changed && session) await revoke(holder, session);
    });
    await Promise.all(ended);
  };

/** Takes the accounts of a person from one client, whose approval has ended. */
export type TakeAccounts = (accountId: string, client: string) => Promise<void>;

/** @param connectors ids of the connectors for tools */
export const createTakeAccounts =
  (vault: Pick<Vault, 'change'>, connectors: readonly string[]): TakeAccounts =>
  async (accountId, client) => {
    await Promise.all(connectors.map((connector) => vault.change({ connector, accountId }, takenFrom(client))));
  };

/** The same gate, whose final refusals end the connections of the person too: they are about the person and not about one approval. */
export const endingConnections =
  (gate: Gate, end: EndConnections): Gate =>
  async (account, ...occasion) => {
    const verdict = await gate(account, ...occasion);
    if (verdict?.refusal?.isFinal) await end(account.accountId);
    return verdict;
  };
