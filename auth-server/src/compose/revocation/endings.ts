/** Owns how the operation that ends access is created from the settings, for the server and for its commands. */
import { randomInt } from 'node:crypto';
import type { Audit, AuditEntry } from '@mcp-oauth/shared/audit/entry';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type { Logger } from '@mcp-oauth/shared/logger';
import { createOutgoingFetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import { ASSERTION_GRANT } from '../../clients/client.ts';
import { createClientList } from '../../clients/client-list.ts';
import type { Config } from '../../config.ts';
import { openConnectors } from '../../federation/registry.ts';
import { createKeyStore } from '../../keys/key-store.ts';
import { end as endKey, rotate } from '../../keys/operator-changes.ts';
import { keyPolicyOf } from '../../keys/settings.ts';
import { generateSigningKey } from '../../keys/signing-key.ts';
import { createTokenEndings } from '../../personal-tokens/ending.ts';
import { createOwners } from '../../personal-tokens/owners.ts';
import { personalKeyPolicy } from '../../personal-tokens/settings.ts';
import { createTokenRecords } from '../../personal-tokens/token-records.ts';
import { revokeGrant } from '../../provider/records/grants.ts';
import { revokeMachine } from '../../provider/tokens/status.ts';
import { createEndedBefore } from '../../revocation/ended-before.ts';
import { createEndings, type Ending, type Endings } from '../../revocation/endings.ts';
import type { GrantDirectory } from '../../revocation/grant-directory.ts';
import { createStatusMarks } from '../../revocation/status-lists.ts';
import type { StatusStore } from '../../revocation/status-store.ts';
import type { RecordStore } from '../../storage/record-store.ts';
import type { RevokeTokens } from '../../vault/connections/revocation.ts';
import { forgotten } from '../../vault/record.ts';
import { composeAccounts, composeSignedOut, composeVault } from '../accounts.ts';
import { composeEndConnections, composeRevocation, composeTakeAccounts } from '../connections/connections.ts';

interface Dependencies {
  readonly store: RecordStore;
  readonly directory: GrantDirectory;
  readonly statusStore: StatusStore;
  readonly clock: Clock;
  readonly onEnded: (ending: Ending) => void;
  /** Ends the tokens of tools at the upstreams. Absent: they are deleted only. */
  readonly revoke?: RevokeTokens | undefined;
}

interface CommandDependencies extends Omit<Dependencies, 'revoke'> {
  /** An upstream did not confirm that it has ended the tokens of a person. */
  readonly onUnconfirmed?: ((connector: string) => void) | undefined;
}

/**
 * For a command, which opens the connectors itself, and waits for the upstreams when everything has ended here: one that hangs must not
 * delay that.
 */
export function composeEndingsOfCommand(
  config: Config,
  { onUnconfirmed = () => {}, ...dependencies }: CommandDependencies,
): Endings {
  const { tools } = openConnectors(config.tools, config.issuer, createOutgoingFetch(config), dependencies);
  const revoke = composeRevocation(tools, ({ id }) => onUnconfirmed(id));
  const revoking: Promise<void>[] = [];
  const endings = composeEndings(config, {
    ...dependencies,
    revoke: async (...tokens) => {
      revoking.push(revoke(...tokens));
    },
  });
  return { end: (...what) => endings.end(...what).finally(() => Promise.all(revoking)) };
}

export function composeEndings(
  config: Config,
  { store, directory, statusStore, clock, onEnded, revoke = async () => {} }: Dependencies,
): Endings {
  const marks = createStatusMarks({ store: statusStore, clock, random: (below) => randomInt(below) });
  const revoking = { store, marks, clock };
  const accounts = composeAccounts(config, { store });
  const signedOut = composeSignedOut(config, { store, clock });
  const vault = composeVault(config, { store, clock });
  const endConnections = composeEndConnections(config, { store, clock }, revoke);
  const takeAccounts = composeTakeAccounts(config, { store, clock });
  const making = { clock, generate: generateSigningKey };
  const policy = keyPolicyOf(config);
  const keys = { ...making, store: createKeyStore(store), policy };
  const personalKeys = {
    ...making,
    store: createKeyStore(store, 'personal'),
    policy: personalKeyPolicy(policy, config),
  };
  const personalTokens = createTokenEndings({
    records: createTokenRecords(store, clock),
    owners: createOwners(store, clock),
    status: marks,
  });
  return createEndings({
    clock,
    directory,
    endedBefore: createEndedBefore(store, config.grantLifetime),
    revokeGrant: (id) => revokeGrant(id, revoking),
    revokeMachines: async (clientId, isRemoved) => {
      const ids = clientId === undefined ? await machinesOf(config, store) : [clientId];
      await Promise.all(ids.map((id) => revokeMachine(id, revoking, isRemoved)));
    },
    endPerson: async (accountId) => {
      const account = await accounts.find(accountId);
      await signedOut.endSessions(accountId);
      await personalTokens.endAllOf(accountId);
      // Without a refresh to come nobody asks the upstream about this person.
      if (account) await vault.change(account, forgotten(seconds(clock)));
      await endConnections?.(accountId);
    },
    takeAccounts: async (...from) => takeAccounts?.(...from),
    endSessionsBefore: async (moment) => {
      await signedOut.endSessionsBefore(moment);
      await personalTokens.endAllBefore(moment);
    },
    endKey: async (kid) => {
      const personal = (await personalKeys.store.load())?.ring.some(({ key }) => key.kid === kid);
      await endKey(personal ? personalKeys : keys, kid);
      // The other ring signs the status lists. With a new key there, MCP servers read the key set again, once all processes have both.
      if (personal) await rotate(keys, true);
    },
    onEnded,
  });
}

/** Grants by which a client can get a token without a person: a machine client, and the client of a workload. */
const MACHINE_GRANTS: readonly string[] = ['client_credentials', ASSERTION_GRANT];

/** The clients that may act for themselves: only the operator makes them. */
async function machinesOf({ clients }: Pick<Config, 'clients'>, store: RecordStore): Promise<readonly string[]> {
  const listed = await createClientList(store).load();
  return [...clients, ...listed.map(({ client }) => client)]
    .filter(({ grant_types }) => grant_types.some((grant) => MACHINE_GRANTS.includes(grant)))
    .map(({ client_id }) => client_id);
}

/** One line in the log and one entry in the audit for each ending. */
export const tellEndings =
  ({ log, audit }: { readonly log: Logger; readonly audit: Audit }) =>
  (ending: Ending): void => {
    const { target, by, grants, accountId: subject, clientId: client } = ending;
    const { origin, actor, reference } = by;
    log.info({ request: reference, target, by: origin, actor, grants, subject, client }, 'access ended');
    audit(entryOf(ending));
  };

/** The audit entry of an ending. It is the same for a page, a command and this server itself. */
export const entryOf = ({ target, by, grants, accountId: who, clientId: client }: Ending): AuditEntry => ({
  event: 'access.ended',
  outcome: 'ok',
  who,
  client,
  reason: by.origin,
  from: by.from,
  reference: by.reference,
  grant: target.kind === 'grant' ? target.id : undefined,
  details: {
    target: target.kind,
    grants,
    actor: by.actor,
    kid: target.kind === 'key' ? target.kid : undefined,
    before: target.kind === 'everything' ? target.before : undefined,
  },
});
