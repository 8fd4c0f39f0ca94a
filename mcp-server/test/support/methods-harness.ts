/** Owns the methods in tests: over given definitions, with a call whose client answers as the test says. */
import { createLogger } from '@mcp-oauth/shared/logger';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import type { Call, ClientNotification, ClientRequest, Methods } from '../../src/protocol/call.ts';
import { createCatalog } from '../../src/protocol/catalog/catalog.ts';
import type { Change } from '../../src/protocol/changes/changes.ts';
import type { MethodsDependencies } from '../../src/protocol/methods/dependencies.ts';
import { createMethods } from '../../src/protocol/methods/method-table.ts';
import { NO_UPSTREAMS } from '../../src/upstream/upstreams.ts';
import { principals } from './protocol-harness.ts';

export interface TestMethods {
  readonly methods: Methods;
  readonly announced: Change[];
  /** Every log line, as written. */
  readonly lines: string[];
  /** Runs a method; every error rejects. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  ask(method: string, params?: object, call?: Call): Promise<any>;
}

type Definitions = Parameters<typeof createCatalog>[0];

export function methodsOver(definitions: Definitions, dependencies: Partial<MethodsDependencies> = {}): TestMethods {
  const catalog = createCatalog(definitions);
  const lines: string[] = [];
  const announced: Change[] = [];
  const methods = createMethods({
    upstreams: NO_UPSTREAMS,
    pause: async () => {},
    isStopping: () => false,
    catalog: () => catalog,
    covers: (held, needed) => needed.every((scope) => held.has(scope)),
    hideUnpermitted: false,
    changes: { announce: async (change) => void announced.push(change) },
    status: async () => ({ name: 's', version: '1', startedAt: new Date(0), revisions: [], openSessions: 0 }),
    clock: new FakeClock(),
    log: createLogger('test', 'debug', { write: (line: string) => void lines.push(line) }),
    ...dependencies,
  });
  return {
    methods,
    announced,
    lines,
    ask: async (method, params = {}, call = testCall()) =>
      methods.get(method)?.(params as Record<string, unknown>, call),
  };
}

export interface TestCall extends Call {
  readonly said: ClientNotification[];
  readonly asked: ClientRequest[];
}

/** @param answers to the questions of the server, one after the other; an error makes the question fail */
export function testCall(more: Partial<Call> & { readonly as?: string } = {}, answers: unknown[] = []): TestCall {
  const { as = 'ada', ...given } = more;
  const principal = principals[as];
  if (!principal) throw new Error(`nobody is called ${as}`);
  const said: ClientNotification[] = [];
  const asked: ClientRequest[] = [];
  return {
    principal,
    accessToken: 'the token of the caller',
    signal: new AbortController().signal,
    ended: new AbortController().signal,
    capabilities: {},
    logLevel: undefined,
    progressToken: undefined,
    notify: async (notification) => void said.push(notification),
    ask: async (request) => {
      asked.push(request);
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    },
    releaseConnection: async () => {},
    ...given,
    said,
    asked,
  };
}
