/** Owns the section with the accounts that tools use for a person. A form names a connector, and acts on the person's own account alone. */
import { stateOf } from '../../context-state.ts';
import type { OpenTools } from '../../federation/registry.ts';
import type { Connections } from '../../vault/connections/connections.ts';
import { connectionsSection } from '../../views/account/connections.ts';
import type { ShownClient } from '../../views/client/client-name.ts';
import type { AccountSection } from './section.ts';

export interface ConnectionsSectionDependencies {
  readonly tools: readonly OpenTools[];
  readonly connections: Pick<Connections, 'list' | 'disconnect'>;
  readonly clientFacts: (id: string) => Promise<ShownClient | undefined>;
}

const DISCONNECT = 'disconnect';

export const createConnectionsSection = ({
  tools,
  connections,
  clientFacts,
}: ConnectionsSectionDependencies): AccountSection => ({
  show: async ({ session, language, path, token }) => {
    const mine = await connections.list(session.account.accountId);
    const upstreams = new Map(tools.map((one) => [one.id, one]));
    return connectionsSection({
      language,
      connections: await Promise.all(
        mine.map(async (one) => ({
          ...one,
          provider: upstreams.get(one.connector)?.title ?? one.connector,
          type: upstreams.get(one.connector)?.type,
          clients: await Promise.all(one.clients.map(clientFacts)),
        })),
      ),
      disconnect: `${path}/${DISCONNECT}`,
      token,
    });
  },
  acts: {
    [DISCONNECT]: async (ctx, { session, form }) => {
      const { accountId } = session.account;
      const upstream = tools.find(({ id }) => id === form.get('connector'));
      if (!upstream || !(await connections.disconnect({ connector: upstream.id, accountId }))) return undefined;
      const { log, audit } = stateOf(ctx);
      log.info({ subject: accountId, connector: upstream.id }, 'account disconnected');
      audit({ event: 'connection.ended', outcome: 'ok', who: accountId, details: { connector: upstream.id } });
      return undefined;
    },
  },
});
