/** Owns a network in a test that can be cut: a TCP relay in front of a server, whose connections then stall. */

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface Relay extends AsyncDisposable {
  readonly port: number;
  /** Stops all traffic without closing connections. */
  cut(): void;
  /** Accepts new connections again; the old ones are reset. */
  mend(): void;
}

export async function startRelay(target: number): Promise<Relay> {
  const sockets = new Set<Socket>();
  let passes = true;
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    near.on('data', (chunk) => passes && far.write(chunk));
    far.on('data', (chunk) => passes && near.write(chunk));
    near.on('end', () => far.end());
    far.on('end', () => near.end());
    // A killed process resets its connections.
    near.on('close', () => passes && far.destroy());
    far.on('close', () => passes && near.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const end = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as { port: number }).port,
    cut: () => {
      passes = false;
    },
    mend: () => {
      end();
      passes = true;
    },
    [Symbol.asyncDispose]: async () => {
      end();
      server.close();
      await once(server, 'close');
    },
  };
}
