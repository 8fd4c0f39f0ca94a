/**
 * Owns the connections of people: which accounts at upstreams tools may use, their tokens, and how they end. A connection is stored in
 * the record of the person's session at that upstream, encrypted and bound to person and connector (vault/vault.ts).
 */
import { seconds } from '@mcp-oauth/shared/clock';
import type { Accounts } from '../../federation/account.ts';
import { type Connected, UpstreamError, type UpstreamSession } from '../../federation/connector.ts';
import { toUpstreamError } from '../../federation/failure.ts';
import type { OpenTools } from '../../federation/registry.ts';
import { localSubject } from '../../federation/subject.ts';
import type { VaultRecord } from '../record.ts';
import type { Holder } from '../vault.ts';
import { afterLease } from '../waiting.ts';
import { asked, connected, disconnected, ended, isUseDue, used } from './changes.ts';
import type { Connection } from './connection.ts';
import { decide, type Need, type TokenRequest, type UpstreamToken } from './decision.ts';
import { before, type RenewalDependencies, readable, renew, secretsOf } from './renewal.ts';
import { createRevocation } from './revocation.ts';

/** A connection without its tokens. */
export interface ShownConnection extends Pick<Connection, 'account' | 'scopes' | 'clients' | 'connectedAt'> {
  readonly connector: string;
  /** Whether the upstream accepts its tokens no more, so that the person has to connect the account again. */
  readonly hasEnded: boolean;
}

export interface Connections {
  find(holder: Holder): Promise<ShownConnection | undefined>;
  /** All of a person, in the order of the configured connectors. */
  list(accountId: string): Promise<readonly ShownConnection[]>;
  /**
   * An access token of the upstream, renewed if it is at its end or was refused.
   * @throws UpstreamError `unavailable`: the upstream or another request gives no new token in time
   */
  token(holder: Holder, request: TokenRequest): Promise<UpstreamToken | Need>;
  /**
   * @param client for which the person connects the account. Absent: for those for which it was connected before
   * @throws UpstreamError `denied` if the account may not be connected to this person
   */
  connect(holder: Holder, finished: Connected, client?: string): Promise<ShownConnection>;
  /** Deletes the tokens, and ends them at the upstream if that answers. @returns whether there were any */
  disconnect(holder: Holder): Promise<boolean>;
}

export interface ConnectionsDependencies extends RenewalDependencies {
  readonly tools: readonly OpenTools[];
  readonly accounts: Pick<Accounts, 'find'>;
}

/** Seconds that the upstream may take to say whether it accepts a token. A call of a tool waits for it. */
const QUESTION = 5;

/** How often a request looks at the record again: each time somebody else has changed it. */
const ATTEMPTS = 4;

const leaseOf = ({ connection }: VaultRecord): number | undefined => connection?.lease;

export function createConnections(dependencies: ConnectionsDependencies): Connections {
  const { vault, clock, tools: all, accounts } = dependencies;

  const toolsOf = (connector: string): OpenTools => {
    const found = all.find(({ id }) => id === connector);
    if (!found) throw new Error(`no connector for tools: ${connector}`);
    return found;
  };

  const read = (holder: Holder) => readable(vault, holder);
  const find = async (holder: Holder) => shown(holder, (await read(holder))?.connection);

  const revoke = createRevocation(dependencies);

  /** Whether the upstream accepts the access token; `undefined`: it has no way to tell. */
  async function isAccepted(
    tools: OpenTools,
    holder: Holder,
    session: UpstreamSession,
  ): Promise<boolean | 'no answer' | undefined> {
    const { access } = tools;
    if (!access.isAccepted) return undefined;
    const signal = dependencies.deadline(QUESTION);
    try {
      return await before(signal, async () => access.isAccepted?.(session, signal));
    } catch (thrown) {
      dependencies.onFailure(tools, holder, toUpstreamError(thrown), secretsOf(session));
      return 'no answer';
    }
  }

  async function token(holder: Holder, request: TokenRequest): Promise<UpstreamToken | Need> {
    const tools = toolsOf(holder.connector);
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const record = await read(holder);
      const connection = record?.connection;
      const now = seconds(clock);
      const decision = decide(connection, request, now);
      if (decision.kind === 'need') return decision.need;
      if (!record || !connection || decision.kind === 'away') break;
      if (decision.kind === 'ready') {
        if (isUseDue(connection, now)) await vault.begin(holder, used(now));
        return decision.token;
      }
      if (decision.kind === 'refused') {
        const isGood = await isAccepted(tools, holder, decision.session);
        if (isGood === 'no answer') {
          // Noted as good: a provider that hangs must not be asked, and waited for, at each refusal of its API.
          await vault.change(holder, asked(decision.session, true, now), record);
          return decision.token;
        }
        // Where the upstream can't tell, nothing is deleted. A token that can be renewed may be good later.
        const hasEnded = isGood === false && decision.session.refreshToken === undefined;
        const next = hasEnded ? ended(decision.session) : asked(decision.session, isGood === true, now);
        await vault.change(holder, next, record);
      } else if (decision.kind === 'ended') await vault.change(holder, ended(decision.session), record);
      else if (decision.kind === 'running') await afterLease(() => read(holder), record, leaseOf);
      else {
        const unused = await renew({ tools, holder, record, connection, session: decision.session }, dependencies);
        if (unused) await revoke(holder, unused);
      }
    }
    throw new UpstreamError('unavailable', 'the upstream gives no new access token at the moment');
  }

  return {
    find,
    list: async (accountId) => {
      const found = await Promise.all(all.map(({ id: connector }) => find({ connector, accountId })));
      return found.filter((connection) => connection !== undefined);
    },
    token,
    connect: async (holder, finished, client) => {
      const tools = toolsOf(holder.connector);
      const account = await accounts.find(holder.accountId);
      if (account?.denied !== undefined) throw new UpstreamError('denied', 'the identity provider refuses the person');
      refuseOther(tools, { holder, signsIn: account?.connector === holder.connector, finished });
      const record = await vault.begin(holder, connected(finished, seconds(clock), client));
      return shown(holder, record?.connection) as ShownConnection;
    },
    disconnect: async (holder) => {
      toolsOf(holder.connector);
      let session: Connection['session'];
      const changed = await vault.change(holder, (record) => {
        session = record?.connection?.session;
        return disconnected(record);
      });
      if (changed && session) await revoke(holder, session);
      return changed !== undefined;
    },
  };
}

const shown = ({ connector }: Holder, connection: Connection | undefined): ShownConnection | undefined =>
  connection && {
    connector,
    account: connection.account,
    scopes: connection.scopes,
    clients: connection.clients,
    connectedAt: connection.connectedAt,
    hasEnded: connection.session === undefined,
  };

interface Connecting {
  readonly holder: Holder;
  /** Whether the person signs in here with this connector. */
  readonly signsIn: boolean;
  readonly finished: Connected;
}

/**
 * Who signs in with an account of this upstream connects that account and no other one: tools would act for somebody whom the person
 * only seems to be.
 */
function refuseOther({ acceptance }: OpenTools, { holder, signsIn, finished: { identity } }: Connecting): void {
  if (signsIn && (!identity || localSubject(identity) !== holder.accountId)) {
    throw new UpstreamError('denied', 'this is another account of the upstream than the one of the sign-in');
  }
  const refusal = identity && acceptance?.refusalOf(identity);
  if (refusal) throw new UpstreamError('denied', refusal);
}
