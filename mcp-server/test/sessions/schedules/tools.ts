/**
 * Owns the calls of a model run: they send messages, ask the client and answer, each step when the schedule says so.
 */
import type { RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { Allowance } from '../../../src/allowance/allowance.ts';
import type { Call, Method } from '../../../src/protocol/call.ts';
import { Multiplexer } from '../../../src/protocol/sessionful/calls/multiplexer.ts';
import type { SessionServer } from '../../../src/protocol/sessionful/calls/server.ts';
import type { Condition } from './network.ts';
import type { Schedule } from './schedule.ts';

/** `params` of a request of the model. */
export interface Task {
  readonly says: number;
  readonly asks: boolean;
}

export interface ToolsDependencies {
  readonly member: Condition;
  readonly schedule: Schedule;
  readonly breaches: string[];
  readonly allowance: Allowance;
}

export function createTools(dependencies: ToolsDependencies) {
  const { member, schedule, breaches } = dependencies;
  const asked = new Map<RequestId, (answer: unknown) => void>();
  let questions = 0;

  /** Replaces the SDK's server, whose timeouts would take minutes. */
  const ask: SessionServer['ask'] = async (number, { method, params }) => {
    questions += 1;
    const id = questions;
    const answered = new Promise((resolve) => asked.set(id, resolve));
    await multiplexer.send({ jsonrpc: '2.0', id, method, params }, { relatedRequestId: number });
    return answered;
  };
  const step = (label: string) =>
    new Promise<void>((resolve) =>
      schedule.add(`${member.name} works on ${label}`, () => (member.dead ? undefined : resolve())),
    );
  const work = async (label: string, { says, asks }: Task, call: Call): Promise<unknown> => {
    for (let n = 0; n < says; n += 1) {
      await step(label);
      await call.notify({ method: 'notifications/message', params: { data: `${label} says ${n}` } });
    }
    const question = { method: 'elicitation/create', params: { message: label } } as const;
    const answer = asks ? JSON.stringify(await call.ask(question).catch(() => 'nobody')) : 'nothing';
    await step(label);
    return { label, answer };
  };
  const tool: Method = ({ label, ...task }, call) => work(String(label), task as unknown as Task, call);
  const multiplexer = new Multiplexer({
    replica: member.name,
    methods: new Map([
      ['tools/call', tool],
      ['ping', () => ({})],
    ]),
    server: { ask } as SessionServer,
    allowance: dependencies.allowance,
    onFault: (error) => breaches.push(`failed: ${error}`),
  });
  multiplexer.onmessage = (message) => {
    if (!('id' in message) || message.id === undefined) return;
    asked.get(message.id)?.('result' in message ? message.result : 'refused');
    asked.delete(message.id);
  };
  return {
    multiplexer,
    /** The wait for the client times out. */
    giveUp: (): void => {
      for (const resolve of asked.values()) resolve('timed out');
      asked.clear();
    },
  };
}
