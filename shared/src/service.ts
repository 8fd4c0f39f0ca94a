/**
 * Owns the life of a process: of a service, which listens, says "ready", and on a signal drains, closes and ends; and of a
 * command, which does its work and ends.
 */
import type { RequestListener } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { StartError } from './errors.ts';
import { createAdmission } from './http/admission.ts';
import { type Listening, type ListenOptions, listen } from './http/server.ts';
import { type Logger, logWritten } from './logger.ts';
import { newerSecurityRelease } from './security-release.ts';
import { ConfigError, type Environment } from './settings/config.ts';
import { unknownSettings } from './settings/unknown.ts';
import { watchStart } from './start/watch.ts';

/** Milliseconds between a gateway's question whether this process takes a request, and the request. */
const PROMISED = 250;

/** Something that answers at an address of its own. */
export interface Endpoint {
  readonly handler: RequestListener;
  readonly listen: ListenOptions;
}

/** What a composition root gives back. */
export interface Service extends Endpoint {
  readonly log: Logger;
  /** Where the metrics are read, up to the end; absent: nowhere. */
  readonly metrics?: Endpoint | undefined;
  /** The URL that people and clients use. */
  readonly url: string;
  /** Seconds that running requests get to finish. */
  readonly shutdownTimeout: number;
  /** Seconds that connections without a request stay open meanwhile. */
  readonly shutdownLinger: number;
  /** Resolves when requests can be served well, which a gateway that asks waits for; never fails. Absent: at once. */
  prepare?(): Promise<void>;
  /** Stop being ready and end the open streams; requests that run go on. */
  drain(): void;
  /** Resolves when nothing runs any more of what requests have begun and no connection shows. */
  finished?(): Promise<void>;
  /** After the last request: flush and close what was opened. */
  close(): Promise<void>;
}

/**
 * Runs until SIGTERM or SIGINT, or until the process that started it is gone; the only reader of the environment and the only
 * caller of `exit`.
 */
export async function runService(
  name: string,
  process: NodeJS.Process,
  compose: (env: Environment) => Promise<Service>,
): Promise<void> {
  // A service may wait for long for what it needs, and has nothing to end then.
  let stop = (_signal: string): void => process.exit(0);
  onEnd(process, (signal) => stop(signal));
  const unknown = unknownSettings(process.env).warnings;
  const startIsOver = watchStart(name);
  try {
    const service = await compose(process.env);
    warnOfOldNode(service.log, process.versions.node);
    for (const { env, message } of unknown) service.log.warn({ variable: env }, `${env}: ${message}`);
    const admission = createAdmission(service.handler, service.prepare);
    const { listening, metrics } = await listenTo(service, admission.handler);
    startIsOver();
    service.log.info({ url: service.url, port: listening.port, metrics: metrics?.port }, 'ready');
    // After the line: whoever waits for the message may print right after it.
    void logWritten(service.log).then(() => process.send?.('ready'));
    stop = once(async (signal: string) => {
      service.log.info({ signal }, 'stopping');
      // First: whoever is told to reconnect must not find this process again. What a gateway was promised comes in before.
      admission.close();
      if (service.shutdownLinger > 0) await setTimeout(PROMISED);
      await listening.refuse();
      service.drain();
      const [grace, linger] = [service.shutdownTimeout * 1000, service.shutdownLinger * 1000];
      const deadline = setTimeout(grace, undefined, { ref: false });
      await listening.close({ grace, linger });
      // Only now: a connection that lingered may have begun something.
      await Promise.race([service.finished?.(), deadline]);
      await metrics?.close();
      await service.close();
      service.log.info('stopped');
      await logWritten(service.log);
      process.exit(0);
    });
    for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
      process.on(event, (err) => {
        service.log.fatal({ err }, event);
        void logWritten(service.log).then(() => process.exit(1));
      });
    }
  } catch (error) {
    // What is missing may have been set under a wrong name.
    fail(name, process, error instanceof ConfigError ? new ConfigError([...error.problems, ...unknown]) : error);
  }
}

/** What a machine has is its operator's to change: a warning, no failure. */
function warnOfOldNode(log: Logger, node: string): void {
  const release = newerSecurityRelease(node);
  if (release) log.warn({ node, use: release }, 'this release of Node.js has known security faults: update it');
}

/** The first process of a container ends by no signal that it does not listen to. */
function onEnd(process: NodeJS.Process, stop: (signal: string) => void): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
  process.on('disconnect', () => stop('disconnect'));
  if (process.env.npm_lifecycle_event) whenOrphaned(process, () => stop('npm is gone'));
}

/** @throws StartError when a port can't be had; nothing is left open then */
async function listenTo(
  service: Service,
  handler: RequestListener,
): Promise<{ listening: Listening; metrics: Listening | undefined }> {
  let metrics: Listening | undefined;
  try {
    const { port, host = '127.0.0.1' } = service.listen;
    if (port > 0 && service.metrics?.listen.port === port) {
      const who = `port ${port} on ${host} is already in use by this service itself`;
      throw new StartError(`${who}; choose another one with METRICS_PORT`);
    }
    metrics = service.metrics && (await listen(service.metrics.handler, service.metrics.listen));
    return { listening: await listen(handler, { ...service.listen, log: service.log }), metrics };
  } catch (error) {
    await metrics?.close();
    await service.close();
    throw error;
  }
}

/** What a command gets from its process. */
export interface Terminal {
  readonly arguments: readonly string[];
  readonly env: Environment;
  readonly stdout: Output;
  readonly stderr: Output;
}

export interface Output {
  write(text: string): unknown;
}

/** Runs a command line to its end: its exit status, or `undefined` for a process that lives on. */
export async function runCommand(
  name: string,
  process: NodeJS.Process,
  run: (terminal: Terminal) => Promise<number | undefined>,
): Promise<void> {
  const { argv, env, stdout, stderr } = process;
  try {
    const status = await run({ arguments: argv.slice(2), env, stdout, stderr });
    if (status !== undefined) process.exit(status);
  } catch (error) {
    fail(name, process, error);
  }
}

function fail(name: string, process: NodeJS.Process, error: unknown): never {
  for (const line of problemOf(error).split('\n')) process.stderr.write(`${name}: ${line}\n`);
  process.exit(1);
}

/** npm dies of a SIGTERM without passing it on: what it runs has been told to stop when it loses its parent. */
export function whenOrphaned(process: NodeJS.Process, run: () => void): void {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    run();
  }, 250).unref();
}

const problemOf = (error: unknown): string =>
  error instanceof StartError
    ? error.message
    : `failed: ${error instanceof Error ? (error.stack ?? error.message) : error}`;

function once(run: (signal: string) => Promise<void>): (signal: string) => void {
  let stopping = false;
  return (signal) => {
    if (stopping) return;
    stopping = true;
    void run(signal);
  };
}
