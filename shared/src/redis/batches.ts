/**
 * Owns how commands are sent to Redis: those of one turn of the event loop in one write, and no more until they are answered. While
 * Redis does not answer, later commands stay unsent, so they can be repeated or rejected safely: none of them was executed. The client's
 * own pipelines do the same, and cost more processor time than the commands in them.
 */
import type { Writable } from 'node:stream';
import { setImmediate } from 'node:timers';

interface Command {
  readonly promise: Promise<unknown>;
  resolve(answer: unknown): unknown;
  reject(error: Error): void;
}

/** A client of one node. */
interface NodeClient {
  readonly status: string;
  /** Its connection, another one after each `connect`. */
  readonly stream: Writable | undefined;
  /** @param stream collects what is sent together; absent: the command stands alone */
  sendCommand(command: Command, stream?: object): unknown;
}

/** Not for a client that makes pipelines by itself (`enableAutoPipelining`). A Cluster has a client for each node. */
export function sendInBatches(client: NodeClient): void {
  const send: NodeClient['sendCommand'] = client.sendCommand.bind(client);
  let waiting: Command[] = [];
  let isBusy = false;

  const next = (): void => {
    isBusy = waiting.length > 0;
    if (isBusy) setImmediate(sendAll);
  };
  const sendAll = (): void => {
    const batch = waiting;
    waiting = [];
    const last = batch.at(-1);
    if (last) whenSettled(last, next);
    const { stream } = client;
    stream?.cork();
    for (const command of batch) send(command);
    stream?.uncork();
  };

  client.sendCommand = (command, stream) => {
    // A transaction is sent as a whole, and a handshake before everything else.
    if (stream || client.status !== 'ready') return send(command, stream);
    waiting.push(command);
    if (!isBusy) next();
    return command.promise;
  };
}

/**
 * Answers come in the order of the commands, and a lost connection settles all.
 * @param then runs once, although a Cluster may send the command again, to another node
 */
function whenSettled(command: Command, then: () => void): void {
  const { resolve, reject } = command;
  const settled = (): void => {
    Object.assign(command, { resolve, reject });
    then();
  };
  command.resolve = (answer) => {
    settled();
    return resolve(answer);
  };
  command.reject = (error) => {
    settled();
    return reject(error);
  };
}
