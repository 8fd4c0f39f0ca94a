/** Proves that an operator sees all sessions without secrets, and ends exactly the selected ones. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { run } from '@mcp-oauth/shared/testing/terminal';
import { beforeEach, describe, expect, it } from 'vitest';
import { createCommands } from '../../src/cli/commands.ts';
import { sessionsCommands } from '../../src/cli/sessions.ts';
import type { BusMessage, SessionStorage } from '../../src/sessions/ports.ts';
import type { McpSession } from '../../src/sessions/session.ts';
import { createMemoryStorage } from '../../src/storage/memory/storage.ts';
import { LIMITS, LOG_LIMITS } from '../contracts/session-storage.contract.ts';

describe('sessions', () => {
  let clock: FakeClock;
  let replica: SessionStorage;
  let operator: SessionStorage;
  let told: BusMessage[];
  beforeEach(async () => {
    clock = new FakeClock();
    const another = createMemoryStorage(clock, { ...LIMITS, maxSessions: 1_000 }, LOG_LIMITS);
    [replica, operator, told] = [another(), another(), []];
    replica.bus.subscribe(
      (message) => told.push(message),
      () => {},
    );
    for (const [id, subject, clientId] of [
      ['a1', 'ada', 'desk'],
      ['a2', 'ada', 'phone'],
      ['b1', 'bob', 'desk'],
      ['-c', 'cyd', 'desk'],
    ] as const) {
      await replica.store.create(record(id, { issuer: 'https://as.example', subject, clientId }));
      clock.advance(1);
    }
  });

  const record = (id: string, owner: McpSession['owner'], more: Partial<McpSession> = {}): McpSession => ({
    id,
    owner,
    transport: 'streamable-http',
    agreed: { protocolVersion: '2025-11-25', params: { capabilities: { secret: 'params-of-initialize' } } },
    subscriptions: ['file:///secret-subscription'],
    created: clock.now(),
    usedUntil: clock.now(),
    tokenExpiresAt: 1_234_567_890,
    ...more,
  });
  const sessions = (line: string) =>
    run(
      sessionsCommands((_, work) => work(operator)),
      line,
    );
  const left = async () => (await Array.fromAsync(replica.store.list())).map(({ id }) => id);

  it('sessions list shows each session with its owner, transport, revision and times, oldest first', async () => {
    const { status, stdout } = await sessions('list');
    expect(status).toBe(0);
    const [titles, ...rows] = stdout.split('\n');
    expect(titles).toMatch(/^ID +SUBJECT +CLIENT +ISSUER +TRANSPORT +REVISION +CREATED +IN USE UNTIL$/);
    expect(rows[0]).toMatch(
      /^a1 +ada +desk +https:\/\/as\.example +streamable-http +2025-11-25 +2026-01-01T00:00:00Z +2026-01-01T00:00:00Z$/,
    );
    expect(rows.map((row) => row.split(' ')[0])).toEqual(['a1', 'a2', 'b1', '-c', '']);
  });

  it('sessions list --json has the fields that a program needs', async () => {
    expect(JSON.parse((await sessions('list --json --subject bob')).stdout)).toEqual([
      {
        id: 'b1',
        subject: 'bob',
        client: 'desk',
        issuer: 'https://as.example',
        transport: 'streamable-http',
        revision: '2025-11-25',
        created: '2026-01-01T00:00:02Z',
        inUseUntil: '2026-01-01T00:00:02Z',
      },
    ]);
  });

  it('sessions list shows an HTTP+SSE session whose revision is not agreed yet', async () => {
    const owner = { issuer: 'https://as.example', subject: 'dan', clientId: 'old' };
    const { agreed, ...rest } = record('d1', owner, { transport: 'http+sse' });
    await replica.store.create(rest);
    expect((await sessions('list --subject dan')).stdout).toMatch(/d1 +dan +old +https:\/\/as\.example +http\+sse +- /);
  });

  it.each([
    ['', ['a1', 'a2', 'b1', '-c']],
    ['--subject ada', ['a1', 'a2']],
    ['--client desk', ['a1', 'b1', '-c']],
    ['--subject ada --client desk', ['a1']],
    ['--subject ada --subject bob', ['a1', 'a2', 'b1']],
    ['--subject', undefined],
    ['--subject=', []],
    ['--subject ad', []],
  ])('sessions list %s shows %j', async (options, ids) => {
    const { status, stdout } = await sessions(`list --json ${options}`);
    expect(status).toBe(ids ? 0 : 2);
    if (ids) expect(JSON.parse(stdout).map(({ id }: McpSession) => id)).toEqual(ids);
  });

  it('sessions list shows a session without a client, and no client selects it', async () => {
    await replica.store.create(record('pod', { issuer: 'https://k8s.example', subject: 'pod' }));
    const { stdout } = await sessions('list --subject pod');
    expect(stdout.split('\n')[1]).toMatch(/^pod +pod +- +https:\/\/k8s\.example +streamable-http /);
    expect((await sessions('list --client undefined')).stdout).toBe('There are no sessions.\n');
  });

  it('a subject at another issuer is another person, and --issuer tells them apart', async () => {
    await replica.store.create(record('x1', { issuer: 'https://corp.example', subject: 'ada', clientId: 'desk' }));
    const { stdout } = await sessions('list --json --subject ada --issuer https://corp.example');
    expect(JSON.parse(stdout)).toMatchObject([{ id: 'x1', issuer: 'https://corp.example' }]);
    await sessions('end --subject ada --issuer https://as.example');
    expect(await left()).toEqual(['b1', '-c', 'x1']);
    await sessions('end --issuer https://corp.example');
    expect(await left()).toEqual(['b1', '-c']);
  });

  it("sessions list shows neither the client's initialize data nor its subscriptions", async () => {
    for (const line of ['list', 'list --json']) {
      expect((await sessions(line)).stdout).not.toMatch(/secret|params|1234567890/);
    }
  });

  it('sessions list says when there is none', async () => {
    await sessions('end --all');
    expect(await sessions('list')).toEqual({ status: 0, stdout: 'There are no sessions.\n', stderr: '' });
    expect((await sessions('list --json')).stdout).toBe('[]\n');
  });

  it.each([
    ['a2', ['a1', 'b1', '-c'], 1],
    ['a2 a2 b1', ['a1', '-c'], 2],
    ['-- -c', ['a1', 'a2', 'b1'], 1],
    ['--subject ada', ['b1', '-c'], 2],
    ['--client desk', ['a2'], 3],
    ['--subject ada --client desk', ['a2', 'b1', '-c'], 1],
    ['--subject nobody', ['a1', 'a2', 'b1', '-c'], 0],
    ['--subject= --client desk', ['a1', 'a2', 'b1', '-c'], 0],
    ['--all', [], 4],
  ])('sessions end %s leaves %j, and the replicas are told of the ended ones', async (line, remaining, ended) => {
    const { status, stdout, stderr } = await sessions(`end ${line}`);
    expect([status, stdout, stderr]).toEqual([0, `Ended ${ended} session${ended === 1 ? '' : 's'}.\n`, '']);
    expect(await left()).toEqual(remaining);
    const gone = ['a1', 'a2', 'b1', '-c'].filter((id) => !remaining.includes(id));
    expect(told).toEqual(gone.map((session) => ({ kind: 'ended', session })));
  });

  it('sessions end names unknown ids, ends the others, and announces an already ended session again', async () => {
    const { status, stdout, stderr } = await sessions('end a1 \u001b[31m nothing');
    expect([status, stdout]).toEqual([1, 'Ended 1 session.\n']);
    expect(stderr).toBe('There is no session "\\u001b[31m".\nThere is no session "nothing".\n');
    expect(await left()).toEqual(['a2', 'b1', '-c']);
    expect(told).toContainEqual({ kind: 'ended', session: 'nothing' });
  });

  it.each([
    ['end', 'name the sessions: ids, --subject, --client, --issuer, or --all'],
    ['end --all a1', 'use only one of'],
    ['end --all --subject ada', 'use only one of'],
    ['end --all --client=', 'use only one of'],
    ['end a1 --subject bob', 'use only one of'],
    ['end --all --issuer x', 'use only one of'],
    ['end -c', "Unknown option '-c'; put arguments that begin with a hyphen after --"],
    ['end --subjects ada', "Unknown option '--subjects'"],
    ['list ada', 'unexpected argument "ada"'],
  ])('sessions %s is refused, and ends nothing', async (line, message) => {
    const { status, stderr } = await sessions(line);
    expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(await left()).toHaveLength(4);
    expect(told).toEqual([]);
  });

  it('sessions end ends many sessions at once', async () => {
    for (let n = 0; n < 250; n += 1) {
      await replica.store.create(record(`m${n}`, { issuer: 'https://as.example', subject: `m${n}`, clientId: 'many' }));
    }
    expect((await sessions('end --client many')).stdout).toBe('Ended 250 sessions.\n');
    expect(await left()).toHaveLength(4);
    expect(told).toHaveLength(250);
  });
});

describe('the command line of mcp-server', () => {
  const program = (line: string, env: Record<string, string> = {}) =>
    run(
      createCommands(async () => {}),
      line,
      env,
    );

  it.each(['sessions list', 'sessions end --all'])(
    'the command %s is refused where sessions are in memory',
    async (line) => {
      const { status, stdout, stderr } = await program(line);
      expect([status, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/^mcp-server: REDIS_URL is not set: .* Restart the server to end all sessions/);
    },
  );

  it('the command line says when Redis is not reachable', async () => {
    const { status, stderr } = await program('sessions list', { REDIS_URL: 'redis://127.0.0.1:1' });
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^mcp-server: REDIS_URL: not reachable \(.+\)\n$/)]);
  });

  it('the command line without a command runs the server', async () => {
    expect(await program('')).toEqual({ status: undefined, stdout: '', stderr: '' });
    expect((await program('session')).status).toBe(2);
  });
});
