/** Owns the listening addresses of a service: loopback by default, and all are closed together. */
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StartError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { GracefulServer, type Patience } from './graceful-server.ts';
import { DEFAULT_HEADER_SIZE } from './request/unreadable.ts';

export interface ListenOptions {
  /** One address to listen on; absent: the loopback addresses 127.0.0.1 and, if the machine has it, ::1. */
  readonly host?: string | undefined;
  readonly port: number;
  /** The variable that sets the port, for the message if the port is not available. */
  readonly setting?: string | undefined;
  /** Maximum bytes of a request's header. */
  readonly maxHeaderSize?: number | undefined;
  /** Logs requests that are refused before a handler sees them. */
  readonly log?: Logger | undefined;
}

export interface Listening {
  readonly port: number;
  /** Accepts no new connections from now on, and tells clients to close existing ones; running requests continue. */
  refuse(): Promise<void>;
  /** Refuses new connections, lets running requests finish and idle connections linger, then closes the rest. */
  close(patience?: Partial<Patience>): Promise<void>;
}

/** @throws StartError if the port is in use or not permitted */
export async function listen(
  handler: RequestListener,
  { host, port, setting, maxHeaderSize = DEFAULT_HEADER_SIZE, log }: ListenOptions,
): Promise<Listening> {
  const create = () => new GracefulServer(handler, { maxHeaderSize, log });
  const first = await bind(create(), { host: host ?? '127.0.0.1', port, setting, log });
  const bound = (first.server.address() as AddressInfo).port;
  const servers = [first];
  try {
    if (host === undefined) servers.push(await bind(create(), { host: '::1', port: bound, setting, log }));
  } catch (error) {
    if (!isMissingAddress(error)) {
      first.server.close();
      throw error;
    }
  }
  return {
    port: bound,
    refuse: async () => {
      await Promise.all(servers.map((server) => server.refuse()));
    },
    close: async ({ grace = 0, linger = 0 } = {}) => {
      await Promise.all(servers.map((server) => server.close({ grace, linger })));
    },
  };
}

interface Address {
  readonly host: string;
  readonly port: number;
  readonly setting: string | undefined;
  readonly log: Logger | undefined;
}

function bind(graceful: GracefulServer, address: Address): Promise<GracefulServer> {
  const { server } = graceful;
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, address)));
    server.listen({ host: address.host, port: address.port }, () => {
      surviveRefusals(server, address.log);
      resolve(graceful);
    });
  });
}

/**
 * accept(2) fails when the system has no more files or memory. Without a listener, that would end the process. It is tried again at
 * once, so the same reason is logged once until a connection is accepted.
 */
function surviveRefusals(server: Server, log: Logger | undefined): void {
  let told: string | undefined;
  server.on('error', (err: NodeJS.ErrnoException) => {
    if (err.code !== told) log?.warn({ err }, 'connection not accepted');
    told = err.code;
  });
  server.on('connection', () => {
    told = undefined;
  });
}

function explain(cause: NodeJS.ErrnoException, { host, port, setting }: Address): Error {
  const { code = '' } = cause;
  const other = setting ? `; choose another one with ${setting}` : '';
  if (code === 'EADDRINUSE')
    return new StartError(`port ${port} on ${host} is already in use by another program${other}`);
  if (code === 'EACCES')
    return new StartError(`port ${port} on ${host} needs more privileges than this process has${other}`);
  if (FOREIGN.has(code)) return new StartError(`HOST: ${host} is not an address of this machine`, { cause });
  return cause;
}

const FOREIGN = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL', 'ENOTFOUND', 'EAI_AGAIN']);

const isMissingAddress = (error: unknown): boolean =>
  error instanceof StartError && FOREIGN.has((error.cause as NodeJS.ErrnoException | undefined)?.code ?? '');
