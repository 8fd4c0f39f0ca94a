/** Owns the sockets of a service: listening, on loopback unless told otherwise, and closing without cutting requests off. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StartError } from '../errors.ts';

export interface ListenOptions {
  /** One address to listen on; absent: the loopback addresses 127.0.0.1 and, where the machine has it, ::1. */
  readonly host?: string | undefined;
  readonly port: number;
}

export interface Listening {
  readonly port: number;
  /** Stops accepting, lets running requests finish for `grace` milliseconds, then cuts the rest. */
  close(grace: number): Promise<void>;
}

/** @throws StartError when the port is taken or not allowed */
export async function listen(handler: RequestListener, { host, port }: ListenOptions): Promise<Listening> {
  const first = await bind(handler, host ?? '127.0.0.1', port);
  const bound = (first.address() as AddressInfo).port;
  const servers = [first];
  try {
    if (host === undefined) servers.push(await bind(handler, '::1', bound));
  } catch (error) {
    if (!isMissingAddress(error)) {
      first.close();
      throw error;
    }
  }
  return {
    port: bound,
    close: async (grace) => {
      await Promise.all(servers.map((server) => close(server, grace)));
    },
  };
}

function bind(handler: RequestListener, host: string, port: number): Promise<Server> {
  // keepAliveTimeout outlives the idle timeout of usual load balancers (60 s), so that they never reuse a dead connection.
  const server = createServer({ requestTimeout: 60_000, headersTimeout: 20_000, keepAliveTimeout: 65_000 }, handler);
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, host, port)));
    server.listen({ host, port }, () => resolve(server));
  });
}

function explain(cause: NodeJS.ErrnoException, host: string, port: number): Error {
  const { code = '' } = cause;
  if (code === 'EADDRINUSE') return new StartError(`port ${port} on ${host} is already in use by another program`);
  if (code === 'EACCES') return new StartError(`port ${port} on ${host} needs more privileges than this process has`);
  if (FOREIGN.has(code)) return new StartError(`HOST: ${host} is no address of this machine`, { cause });
  return cause;
}

const FOREIGN = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL', 'ENOTFOUND', 'EAI_AGAIN']);

const isMissingAddress = (error: unknown): boolean =>
  error instanceof StartError && FOREIGN.has((error.cause as NodeJS.ErrnoException | undefined)?.code ?? '');

async function close(server: Server, grace: number): Promise<void> {
  const deadline = setTimeout(() => server.closeAllConnections(), grace);
  // A connection whose last request ends now would otherwise be kept alive, for another one, until the deadline.
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  clearInterval(sweep);
  clearTimeout(deadline);
}
