/** Owns free ports for the servers of a test that have to know theirs before they start, or that come back at the same one. */
import { createServer, type Server } from 'node:net';

// Below those that systems give to outgoing connections (from 32,768), or one of these could take the port in between. The bus of
// a Redis Cluster node is 10,000 above its port, and below them, too.
const FIRST = 10_000;
const BLOCKS = 100;
const BLOCK = 100;

let block: Promise<number> | undefined;
let taken = 0;

/** Ports that nothing listens on, all different, and never given to another process of the same run. */
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

/** Who listens on the first port of a block has the others, until its process ends: nothing stays behind that has to be cleared. */
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
