/** Owns the steps about user agents, by which firewalls refuse requests, and about clocks. */
import { USER_AGENTS } from '../../clients/profiles.ts';
import { initializeRequest } from '../mcp/message.ts';
import type { ProbeResponse } from '../network/ask.ts';
import { fault, type Known, note, passed, step, type Verdict } from '../step.ts';

interface ProbeRequest {
  readonly who: string;
  readonly userAgent: string | undefined;
  readonly status: number;
}

export const userAgents = step(
  'user agents',
  ({ first, open }) => (first?.status === 401 || open ? undefined : 'the server was not reached'),
  async ({ ask }, { url }): Promise<readonly ProbeRequest[]> => {
    const asked: ProbeRequest[] = [];
    for (const [who, userAgent] of USER_AGENTS) {
      const { status } = await ask(initializeRequest(url, userAgent));
      asked.push({ who, userAgent, status });
    }
    return asked;
  },
  judgeUserAgents,
);

function judgeUserAgents(asked: readonly ProbeRequest[], { first }: Pick<Known, 'first'>): Verdict {
  const other = asked.filter(({ status }) => status !== first?.status);
  if (other.length === 0) return passed(`${asked.length} user agents get the same answer`);
  if (other.every(({ status }) => status === 429))
    return note('The server limits requests (429), so user agents were not compared.');
  const list = other.map(
    ({ who, userAgent, status }) => `${who} (${userAgent ?? 'without a user agent'}) gets ${status || 'no answer'}`,
  );
  const says = `The answer depends on the user agent: ${list.join(', ')}; others get ${first?.status}.`;
  const fix =
    'Exempt the MCP endpoint, /.well-known/ and the endpoints of the authorization server from the rules of the firewall about robots and AI ("Block AI bots", "Bot Fight Mode").';
  return fault('network', says, fix);
}

/** `Date` has whole seconds, and a request takes its time. */
const TOLERATED = 60_000;

interface Clock {
  readonly host: string;
  readonly responsible: 'mcp-server' | 'authorization-server';
  /** Milliseconds that it is ahead of the clock here. */
  readonly ahead: number;
}

export const clocks = step(
  'clocks',
  ({ first }) => (first && first.status > 0 ? undefined : 'the server was not reached'),
  async ({ ask }, { first, server, client }): Promise<readonly Clock[]> => {
    const of = (response: ProbeResponse | undefined, responsible: Clock['responsible']): readonly Clock[] => {
      const date = Date.parse(response?.headers.date ?? '');
      if (!response || Number.isNaN(date)) return [];
      return [
        { host: new URL(response.url).host, responsible, ahead: date - (response.sentAt + response.answeredAt) / 2 },
      ];
    };
    const other = server && (await ask({ url: server.url, headers: { 'user-agent': client.userAgent } }));
    return [...of(first, 'mcp-server'), ...of(other, 'authorization-server')];
  },
  judgeClocks,
);

/** If all are off by the same, it is the clock of this machine. */
export function judgeClocks(clocks: readonly Clock[]): Verdict {
  const off = clocks.filter(({ ahead }) => Math.abs(ahead) > TOLERATED);
  const [worst] = off.toSorted((a, b) => Math.abs(b.ahead) - Math.abs(a.ahead));
  if (!worst) return passed(clocks.length > 0 ? 'right to a minute' : 'the servers tell no time');
  const list = off.map(({ host, ahead }) => `${host} is ${seconds(ahead)}`).join(', ');
  const together = clocks.length > 1 && clocks.every(({ ahead }) => Math.abs(ahead - worst.ahead) < TOLERATED);
  if (together) {
    const says = `All servers are off by the same: ${list} of this machine.`;
    return fault('user', says, 'Set the clock of this machine (NTP).');
  }
  const says = `${list} of this machine: tokens look expired, or not yet valid.`;
  return fault(
    worst.responsible,
    says,
    'Set the clock there (NTP). If only one server differs from several others, it is that one.',
  );
}

const seconds = (ahead: number): string => `${Math.round(Math.abs(ahead) / 1000)} s ${ahead > 0 ? 'ahead' : 'behind'}`;
