/**
 * Owns the routing of client messages: requests to this replica's server, responses and cancellations to the
 * replica that runs the request.
 */
import { setImmediate } from 'node:timers/promises';
import type { Logger } from '@mcp-oauth/shared/logger';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import type { BusMessage, MessageBus } from '../../../sessions/ports.ts';
import { cancellation, type Incoming, isRequest } from '../json-rpc.ts';
import type { SessionAccess } from '../session-access.ts';
import type { Multiplexer } from './multiplexer.ts';
import type { Run } from './outlet.ts';

export interface DispatchDependencies {
  readonly multiplexer: Multiplexer;
  readonly bus: Pick<MessageBus, 'send' | 'broadcast'>;
  readonly log: Logger;
}

/** Maximum number of requests of a batch that start in one turn of the event loop. */
const IN_A_ROW = 8;

export function createDispatch({ multiplexer, bus, log }: DispatchDependencies): SessionAccess['dispatch'] {
  const respond = async (session: string, message: JSONRPCMessage): Promise<boolean> => {
    const delivery = multiplexer.respond(session, message);
    if (delivery === 'unknown') log.debug({ session }, 'response to an unknown request');
    if (typeof delivery === 'string') return true;
    const delivered = await bus.send(delivery.replica, { kind: 'response', session, message });
    if (!delivered) log.info({ session, replica: delivery.replica }, 'response for a lost replica');
    return delivered;
  };
  const notify = async (session: string, message: JSONRPCMessage): Promise<void> => {
    const cancelled = cancellation(message);
    if (!cancelled || multiplexer.cancel(session, cancelled.id, cancelled.reason)) return;
    await bus.broadcast({ kind: 'cancelled', session, message });
  };
  /**
   * Starts the requests one after the other as the outlet allows, so that a batch takes no more memory than a few
   * of its requests.
   */
  const runAll = async (requests: Incoming['requests'], origin: Omit<Run, 'id'>): Promise<void> => {
    const runs = requests.map((request) => ({ request, run: { ...origin, id: request.id } }));
    for (const { run } of runs) multiplexer.queue(run);
    for (const [index, { request, run }] of runs.entries()) {
      const ready = origin.outlet.ready?.();
      if (ready) await ready;
      // Lets other clients' requests run in between.
      if (index % IN_A_ROW === IN_A_ROW - 1) await setImmediate();
      if (multiplexer.unqueue(run)) multiplexer.run(request, run);
    }
  };
  const forward = async (messages: Incoming['messages'], session: string): Promise<boolean> => {
    let taken = true;
    for (const message of messages) {
      if (isRequest(message)) continue;
      if ('method' in message) await notify(session, message);
      else taken = (await respond(session, message)) && taken;
    }
    return taken;
  };
  return ({ messages, requests, batch }, origin) => {
    const { session } = origin;
    const [request] = requests;
    if (!batch && request) {
      multiplexer.run(request, { ...origin, id: request.id });
      return true;
    }
    if (!batch) return forward(messages, session.id);
    // The requests begin first: forwarding one of the other messages may fail, and they would never be answered.
    return Promise.all([runAll(requests, origin), forward(messages, session.id)]).then(([, taken]) => taken);
  };
}

/** Handles a message that another replica has forwarded. */
export function receive(
  multiplexer: Multiplexer,
  { session, message, kind }: BusMessage & { kind: 'response' | 'cancelled' },
): void {
  const given = message as JSONRPCMessage;
  if (kind === 'response') multiplexer.respond(session, given);
  const cancelled = cancellation(given);
  if (cancelled) multiplexer.cancel(session, cancelled.id, cancelled.reason);
}
