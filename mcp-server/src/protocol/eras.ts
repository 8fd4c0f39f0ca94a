/** Owns which era serves a request: both are at the same URLs, side by side (MCP 2026-07-28 basic/versioning, "Dual-era"). */
import type { Changes } from './changes/changes.ts';
import type { Endpoints } from './endpoints.ts';
import { createSessionful, type SessionfulDependencies } from './sessionful/endpoints.ts';
import { createStateless, type StatelessDependencies } from './stateless/endpoint.ts';

type ErasDependencies = SessionfulDependencies &
  Omit<StatelessDependencies, 'changes'> & { readonly limits: SessionfulDependencies['limits'] & StatelessDependencies['limits'] };

/** What there is on this replica at a moment. */
export interface Load {
  /** Requests that run. */
  readonly running: number;
  /** Connections that read a stream of a session. */
  readonly streams: number;
  /** Connections on which a client without a session waits for changes. */
  readonly subscriptions: number;
}

export interface Eras extends Endpoints {
  /** Changes of what the server offers: announced here, heard on every replica. */
  readonly changes: Changes;
  load(): Load;
}

/** What a client says in its request decides: an `initialize` and all that belongs to a session goes to the sessions. */
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
    streamable: (request) =>
      stateless.handles(request) ? stateless.endpoint(request) : sessionful.streamable(request),
    sseStream: sessionful.sseStream,
    sseMessage: sessionful.sseMessage,
    drain: () => {
      const [one, other] = [stateless.drain(), sessionful.drain()];
      return { running: one.running + other.running, leaving: one.leaving + other.leaving };
    },
    running: () => stateless.running() + sessionful.running(),
    // What runs in the other era runs as long as its connection.
    finished: sessionful.finished,
    close: async () => {
      await stateless.close();
      await sessionful.close();
    },
  };
}
