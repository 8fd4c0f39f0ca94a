/**
 * Owns the choice of the era that serves a request: both have the same URLs (MCP 2026-07-28 basic/versioning,
 * "Dual-era").
 */
import type { Changes } from './changes/changes.ts';
import type { Endpoints, Revoked } from './endpoints.ts';
import { createSessionful, type SessionfulDependencies } from './sessionful/endpoints.ts';
import { createStateless, type StatelessDependencies } from './stateless/endpoint.ts';

type ErasDependencies = SessionfulDependencies &
  Omit<StatelessDependencies, 'changes'> & {
    readonly limits: SessionfulDependencies['limits'] & StatelessDependencies['limits'];
  };

/** The current load of this replica. */
export interface Load {
  /** Number of running requests. */
  readonly running: number;
  /** Number of connections that read a stream of a session. */
  readonly streams: number;
  /** Number of connections on which clients without a session wait for changes. */
  readonly subscriptions: number;
}

export interface Eras extends Endpoints {
  /** Changes of what the server offers: announced here, received on every replica. */
  readonly changes: Changes;
  load(): Load;
  /** Ends what goes on with a token that was revoked: calls and streams at once, then sessions. */
  endRevoked(): Promise<Revoked>;
}

/** The content of the request decides: `initialize` and every request of a session go to the sessionful era. */
export async function createEras(dependencies: ErasDependencies): Promise<Eras> {
  const sessionful = await createSessionful(dependencies);
  const { changes } = sessionful;
  const stateless = createStateless({ ...dependencies, changes });
  return {
    changes,
    load: () => ({
      running: sessionful.running() + stateless.running(),
      streams: sessionful.open(),
      subscriptions: stateless.subscriptions(),
    }),
    endRevoked: async () => {
      const { isRevoked } = dependencies.revocations;
      const { calls, streams } = stateless.revoke(isRevoked);
      const ended = await sessionful.endRevoked();
      return { ...ended, calls: ended.calls + calls, streams: ended.streams + streams };
    },
    streamable: (request) =>
      stateless.handles(request) ? stateless.endpoint(request) : sessionful.streamable(request),
    sseStream: sessionful.sseStream,
    sseMessage: sessionful.sseMessage,
    drain: () => {
      const [one, other] = [stateless.drain(), sessionful.drain()];
      return { running: one.running + other.running, leaving: one.leaving + other.leaving };
    },
    running: () => stateless.running() + sessionful.running(),
    // Requests of the stateless era end with their connections.
    finished: sessionful.finished,
    close: async () => {
      await stateless.close();
      await sessionful.close();
    },
  };
}
