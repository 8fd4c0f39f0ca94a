/**
 * Owns how it is known that a client has read the whole of a stream, so that nobody comes back to it: it sends its next request on
 * the connection of its own that has carried the stream to its end (RFC 9112 §9.3: one after the other). Behind a proxy nothing
 * is known, as the connection is the proxy's.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Each tells of a proxy (RFC 9110 §7.6.3, RFC 7239, and what is usual). */
const PROXIED = ['via', 'forwarded', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-real-ip'] as const;

interface Expected {
  readonly res: ServerResponse;
  readonly onRead: () => void;
}

export class Receipts {
  readonly #isDirect: boolean;
  readonly #expected = new WeakMap<Socket, Expected>();

  /** @param publicUrl where clients reach this server: who speaks TLS with them, as this server does not, is a proxy */
  constructor(publicUrl: string) {
    this.#isDirect = publicUrl.startsWith('http:');
  }

  /** Runs `onRead` when the client turns out to have read all of this response. */
  expect(res: ServerResponse, onRead: () => void): void {
    const { req } = res as { req?: IncomingMessage };
    if (!req || !this.#isDirect || PROXIED.some((name) => req.headers[name] !== undefined)) return;
    this.#expected.set(req.socket, { res, onRead });
  }

  /** A request has come on a connection. */
  note(socket: Socket): void {
    const expected = this.#expected.get(socket);
    if (!expected) return;
    this.#expected.delete(socket);
    // Whoever sends several requests at once has not read anything yet.
    if (expected.res.writableFinished) expected.onRead();
  }
}
