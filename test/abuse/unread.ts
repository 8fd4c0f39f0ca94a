/** Owns connections whose client sends and does not read, or never finishes its request. */
import { connect, type Socket } from 'node:net';

export class Unread {
  readonly #port: number;
  readonly #sockets = new Set<Socket>();

  constructor(port: number) {
    this.#port = port;
  }

  /**
   * Sends on a connection of its own and reads nothing. Resolves when everything is sent, or when the server closes.
   */
  send(
    headers: Readonly<Record<string, string>>,
    body: string,
    path = '/mcp',
    length = Buffer.byteLength(body),
  ): Promise<void> {
    const all = {
      Host: `localhost:${this.#port}`,
      'Content-Type': 'application/json',
      'Content-Length': length,
      ...headers,
    };
    const head = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
    return new Promise((resolve) => {
      const socket = connect(this.#port, '127.0.0.1', () => {
        socket.write(`POST ${path} HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n${body}`, () => resolve());
      });
      this.#sockets.add(socket);
      socket.once('error', () => resolve()).once('close', () => resolve());
    });
  }

  /** Closes all of them. */
  leave(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }
}
