/**
 * Owns the life cycle of a process: a service listens, reports "ready", and on a signal drains, closes and ends; a command does its
 * work and ends.
 */
import type { RequestListener } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { StartError } from './errors.ts';
import { createAdmission } from './http/admission.ts';
import { type Listening, type ListenOptions, listen } from './http/server.ts';
import { type Logger, logWritten } from './logger.ts';
import { ConfigError, type Environment } from './settings/config.ts';
import { unknownSettings } from './settings/unknown.ts';
import { keepObjectsYoung } from './start/garbage-collector.ts';
import { whenOrphaned } from './start/orphan.ts';
import { newerSecurityRelease } from './start/security-release.ts';
import { watchStart } from './start/watch.ts';

/** Milliseconds for which a gateway may send requests after a check was left unanswered: its checks come at least twice in that time. */
const PROMISED = 500;

/** A handler with its own address. */
export interface Endpoint {
  readonly handler: RequestListener;
  readonly listen: ListenOptions;
}

/** The result of a composition root. */
export interface Service extends Endpoint {
  readonly log: Logger;
  /** The endpoint of the metrics, which is closed last; absent: there are none. */
  readonly metrics?: Endpoint | undefined;
  /** The URL that people and clients use. */
  readonly url: string;
  /** Seconds for which running requests may finish. */
  readonly shutdownTimeout: number;
  /** Seconds for which idle connections stay open meanwhile. */
  readonly shutdownLinger: number;
  /** Resolves when tokens can be checked; the admission check of a gateway and requests with a token wait for it. Absent: at once. */
  prepare?(): Promise<void>;
  /** Stops being ready and ends open streams; running requests continue. */
  drain(): void;
  /** Resolves when all background work that requests have started is finished. */
  finished?(): Promise<void>;
  /** Called after the last request: flushes and closes all resources. */
  close(): Promise<void>;
}

/**
 * Runs until SIGTERM or SIGINT, or until its parent process is gone. The only reader of the environment and the only caller of
 * `exit`.
 */
export async function runService(
  name: string,
  process: NodeJS.Process,
  compose: (env: Environment) => Promise<Service>,
): Promise<void> {
  keepObjectsYoung();
  // A service may wait for its dependencies for a long time; until then there is nothing to shut down.
  let stop = (_signal: string): void => process.exit(0);
  onEnd(process, (signal) => stop(signal));
  const unknown = unknownSettings(process.env).warnings;
  const startIsOver = watchStart(name);
  try {
    const service = await compose(process.env);
    warnOfOldNode(service.log, process.versions.node);
    for (const { env, message } of unknown) service.log.warn({ variable: env }, `${env}: ${message}`);
    const admission = createAdmission(service.handler, service);
    const { listening, metrics } = await listenTo(service, admission.handler);
    startIsOver();
    service.log.info({ url: service.url, port: listening.port, metrics: metrics?.port }, 'ready');
    const die = (event: string) => (err: unknown) => {
      service.log.fatal({ err }, event);
      const end = () => process.exit(1);
      logWritten(service.log).then(end, end);
    };
    const shutDown = async (signal: string): Promise<void> => {
      service.log.info({ signal }, 'stopping');
      // Refuse first, so that clients that reconnect do not reach this process again. A gateway has noticed by then that it stops.
      admission.close();
      if (service.shutdownLinger > 0) await setTimeout(PROMISED);
      await listening.refuse();
      service.drain();
      const [grace, linger] = [service.shutdownTimeout * 1000, service.shutdownLinger * 1000];
      const deadline = setTimeout(grace, undefined, { ref: false });
      await listening.close({ grace, linger });
      // Only now, because a lingering connection may have started more work.
      await Promise.race([service.finished?.(), deadline]);
      await metrics?.close();
      await service.close();
      service.log.info('stopped');
      await logWritten(service.log);
      process.exit(0);
    };
    stop = once((signal) => shutDown(signal).catch(die('shutdown failed')));
    process.on('uncaughtException', die('uncaughtException'));
    process.on('unhandledRejection', (err) => {
      if (isAborted(err)) service.log.warn({ err }, 'the error of a cancelled operation was not handled');
      else die('unhandledRejection')(err);
    });
    // After the log line, because the parent may print right after the message. It may be gone already.
    await logWritten(service.log);
    process.send?.('ready', () => {});
  } catch (error) {
    // A missing setting may have been set under a wrong name.
    fail(name, process, error instanceof ConfigError ? new ConfigError([...error.problems, ...unknown]) : error);
  }
}

/**
 * Whether an operation was cancelled. A tool may await two requests one after the other: when the client cancels the call, nothing handles
 * the error of the second, and that must not end the process for everybody.
 */
const isAborted = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';

/** Only the operator can update Node, so this is a warning and not a failure. */
function warnOfOldNode(log: Logger, node: string): void {
  const release = newerSecurityRelease(node);
  if (release)
    log.warn({ node, use: release }, 'this release of Node.js has known security vulnerabilities: update it');
}

/** The first process of a container ignores signals without a listener. */
function onEnd(process: NodeJS.Process, stop: (signal: string) => void): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
  process.on('disconnect', () => stop('disconnect'));
  if (process.env.npm_lifecycle_event) whenOrphaned(process, () => stop('npm is gone'));
}

/** @throws StartError if a port is not available; everything is then closed again */
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

/** The parts of the process that a command uses. */
export interface Terminal {
  readonly arguments: readonly string[];
  readonly env: Environment;
  readonly stdout: Output;
  readonly stderr: Output;
}

export interface Output {
  write(text: string): unknown;
}

/** Runs a command line to its end: its exit status, or `undefined` for a process that keeps running. */
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

const problemOf = (error: unknown): string =>
  error instanceof StartError
    ? error.message
    : `failed: ${error instanceof Error ? (error.stack ?? error.message) : error}`;

function once(run: (signal: string) => void): (signal: string) => void {
  let stopping = false;
  return (signal) => {
    if (stopping) return;
    stopping = true;
    run(signal);
  };
}
