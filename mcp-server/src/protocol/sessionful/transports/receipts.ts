/**
 * Owns the detection that a client has read a stream completely, so that nobody will resume it: the client sends
 * its next request on the connection that carried the stream to its end (RFC 9112 §9.3: one request after the
 * other). Behind a proxy this is unknown, as the connection is the proxy's.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Headers that only a proxy sends (RFC 9110 §7.6.3, RFC 7239, and de facto ones). */
const PROXIED = ['via', 'forwarded', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-real-ip'] as const;

interface Expected {
  readonly res: ServerResponse;
  readonly onRead: () => void;
}

export class Receipts {
  readonly #isDirect: boolean;
  readonly #expected = new WeakMap<Socket, Expected>();

  /** @param publicUrl where clients reach this server: with https, a proxy terminates TLS, as this server does not */
  constructor(publicUrl: string) {
    this.#isDirect = publicUrl.startsWith('http:');
  }

  /** Runs `onRead` once the client has demonstrably read the whole response. */
  expect(res: ServerResponse, onRead: () => void): void {
    const { req } = res as { req?: IncomingMessage };
    if (!req || !this.#isDirect || PROXIED.some((name) => req.headers[name] !== undefined)) return;
    this.#expected.set(req.socket, { res, onRead });
  }

  /** A request has arrived on a connection. */
  note(socket: Socket): void {
    const expected = this.#expected.get(socket);
    if (!expected) return;
    this.#expected.delete(socket);
    // A client that pipelines requests may not have read anything yet.
    if (expected.res.writableFinished) expected.onRead();
  }
}
