/** Owns free ports for test servers that must know their port before they start, or that restart on the same port. */
import { createServer, type Server } from 'node:net';

// Below the range that systems use for outgoing connections (from 32,768), since one of those could take the port in
// between. The bus port of a Redis Cluster node is 10,000 higher, and is below that range, too.
const FIRST = 10_000;
const BLOCKS = 100;
const BLOCK = 100;

let block: Promise<number> | undefined;
let taken = 0;

/** Ports on which nothing listens, all different, and never given to another process of the same run. */
export async function freePorts(count: number): Promise<number[]> {
  block ??= reserve();
  const start = await block;
  const ports: number[] = [];
  for (let tries = 0; ports.length < count && tries < BLOCK; tries++) {
    const port = start + 1 + (taken++ % (BLOCK - 1));
    const server = await bound(port);
    if (!server) continue;
    await new Promise((resolve) => server.close(resolve));
    ports.push(port);
  }
  if (ports.length < count) throw new Error(`no ${count} free ports from ${start} on`);
  return ports;
}

/** The process that listens on the first port of a block owns the block until it ends; there is nothing to clean up. */
async function reserve(): Promise<number> {
  for (let n = 0; n < BLOCKS; n++) {
    const start = FIRST + ((process.pid + n) % BLOCKS) * BLOCK;
    const server = await bound(start);
    if (!server) continue;
    server.unref();
    return start;
  }
  throw new Error('every block of ports is taken');
}

const bound = (port: number): Promise<Server | undefined> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, () => resolve(server));
  });
