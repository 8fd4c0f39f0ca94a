/**
 * Proves that `initialize` is answered as by the SDK's server: random parameters get an equal result, or an error from
 * both (MCP lifecycle, "Initialization").
 */
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CAPABILITIES } from '../../../src/protocol/capabilities.ts';
import { SESSION_REVISIONS } from '../../../src/protocol/revisions.ts';
import { dropAbsent } from '../../../src/protocol/wire/absent.ts';
import { json, request, SERVER_INFO, send, startMcp } from '../../support/protocol-harness.ts';

const odd = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.string(), fc.integer(), fc.constant(1e300));
const mostly = (arbitrary: fc.Arbitrary<unknown>) => fc.oneof({ weight: 19, arbitrary }, { weight: 1, arbitrary: odd });
const optional = { requiredKeys: [] };

const capabilities = fc.record(
  {
    roots: mostly(fc.constantFrom({}, { listChanged: true })),
    sampling: mostly(fc.constantFrom({}, { tools: {} })),
    elicitation: mostly(fc.constantFrom({}, { form: {} }, { url: {}, form: { applyDefaults: true } })),
    experimental: mostly(fc.constantFrom({}, { thing: { on: true } })),
    tasks: mostly(fc.constantFrom({}, { list: {}, requests: { sampling: { createMessage: {} } } })),
    other: odd,
  },
  optional,
);
const clientInfo = fc.record(
  {
    name: mostly(fc.string()),
    version: mostly(fc.string()),
    title: mostly(fc.string()),
    websiteUrl: mostly(fc.webUrl()),
    icons: mostly(fc.constant([{ src: 'https://client.example/icon.png', sizes: ['48x48'] }])),
    other: odd,
  },
  { requiredKeys: ['name', 'version'] },
);
const REQUESTED = [...SESSION_REVISIONS, '2026-07-28', '1.0', ''];
/** Leaves out `task`: the SDK refuses it, and the specification says that it is to be ignored. */
const params = fc.record(
  {
    protocolVersion: mostly(fc.constantFrom(...REQUESTED)),
    capabilities: mostly(capabilities),
    clientInfo: mostly(clientInfo),
    _meta: mostly(fc.record({ progressToken: mostly(fc.integer()), other: odd }, optional)),
    other: odd,
  },
  { requiredKeys: ['protocolVersion', 'capabilities', 'clientInfo'] },
);
const ABSENT = ['nothing', 'nothing', 'nothing', 'protocolVersion', 'capabilities', 'clientInfo'];
const withAbsent = fc
  .tuple(params, fc.constantFrom(...ABSENT))
  .map(([given, absent]) => Object.fromEntries(Object.entries(given).filter(([name]) => name !== absent)));

/** The SDK's server, asked with objects: the text of a message is read before it gets there. */
async function startSdk(instructions: string) {
  const server = new Server(SERVER_INFO, { capabilities: CAPABILITIES, instructions });
  const [client, own] = InMemoryTransport.createLinkedPair();
  await server.connect(own);
  await client.start();
  const resultOf = (message: object) =>
    new Promise<unknown>((resolve) => {
      client.onmessage = (answer) => resolve('result' in answer ? answer.result : undefined);
      // It answers nothing to what it does not recognize as a request.
      server.onerror = () => resolve(undefined);
      client.send(message as Parameters<typeof client.send>[0]).catch(() => resolve(undefined));
    });
  return { resultOf, [Symbol.asyncDispose]: () => server.close() };
}

it.each(['', 'Use echo first.'])(
  'MCP lifecycle, "Initialization": any parameters get the same result as from the SDK, with the instructions %o',
  async (instructions) => {
    await using sdk = await startSdk(instructions);
    const limits = { maxSessions: 10_000, maxSessionsPerPrincipal: 10_000 };
    await using own = await startMcp({ limits, instructions });
    let results = 0;
    const compare = async (given: object) => {
      const message = request(1, 'initialize', given);
      const plain: object = JSON.parse(JSON.stringify(message));
      // Members without a value are read as absent here, where the SDK refuses them.
      dropAbsent(plain);
      const expected = await sdk.resultOf(plain);
      const answer = await send(own.url, message);
      const { result, error } = await json(answer);
      expect(result).toEqual(expected);
      expect({ status: answer.status, isError: error !== undefined }).toEqual(
        expected === undefined ? { status: 400, isError: true } : { status: 200, isError: false },
      );
      if (expected) results += 1;
    };
    await fc.assert(fc.asyncProperty(withAbsent, compare), { numRuns: 200 });
    expect(results, 'the parameters are valid often enough').toBeGreaterThan(20);
  },
);
