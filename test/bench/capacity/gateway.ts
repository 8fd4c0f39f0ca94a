/**
 * Owns an HAProxy in front of replicas on this machine, with the rules of deploy/gateway that cost something on each
 * request: connections are shared by all clients, bodies are waited for, heads of 64 KiB fit.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import type { Replica } from './fleet.ts';

const HAPROXY = process.env.HAPROXY ?? 'haproxy';
export const hasGateway = spawnSync(HAPROXY, ['-v']).status === 0;

export interface Gateway extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

const configuration = (port: number, threads: number, replicas: readonly Replica[]): string => `
global
    nbthread ${threads}
    tune.bufsize 65536
    tune.http.maxhdr 256
defaults
    mode http
    timeout http-request 10s
    timeout http-keep-alive 75s
    timeout client 24h
    timeout server 24h
    timeout connect 1s
    option http-no-delay
    retry-on conn-failure
    option redispatch 1
    retries 45
    balance roundrobin
    http-reuse always
    option httpchk GET /accepting
    http-check expect status 204
    default-server check inter 200ms fall 1 rise 1 pool-purge-delay 5s
frontend public
    bind 127.0.0.1:${port}
    http-request return status 404 if { path -i /accepting /livez /readyz /metrics }
    http-request wait-for-body time 20s
    http-request set-header X-Forwarded-For %[src]
    http-request set-header X-Forwarded-Host %[req.hdr(host)]
    http-request set-header X-Forwarded-Proto http
    default_backend mcp-server
backend mcp-server
${replicas.map((replica, n) => `    server replica${n} 127.0.0.1:${replica.port}\n`).join('')}`;

async function untilListening(port: number, child: ChildProcess): Promise<void> {
  while (child.exitCode === null) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
  }
  throw new Error(`haproxy ended with ${child.exitCode}`);
}

export async function startGateway(replicas: readonly Replica[], threads: number): Promise<Gateway> {
  const [port = 0] = await freePorts(1);
  const folder = mkdtempSync(join(tmpdir(), 'gateway-'));
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, configuration(port, threads, replicas));
  const child = spawn(HAPROXY, ['-db', '-q', '-f', file], { stdio: ['ignore', 'ignore', 'inherit'] });
  await untilListening(port, child);
  return {
    port,
    pid: child.pid ?? 0,
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}
