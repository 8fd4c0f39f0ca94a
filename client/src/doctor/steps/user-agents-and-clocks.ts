/** Owns the steps about user agents, by which firewalls refuse requests, and about clocks. */
import { USER_AGENTS } from '../../clients/profiles.ts';
import { firstRequest } from '../mcp/http-sse.ts';
import type { ProbeResponse } from '../network/request.ts';
import { fault, note, passed, serversOf, step, type Verdict } from '../step.ts';

interface Compared {
  readonly url: string;
  /** The status for the user agent of this run. */
  readonly usual: number;
  readonly others: readonly { readonly who: string; readonly userAgent: string | undefined; readonly status: number }[];
}

/** Firewalls differ by path and host: the MCP endpoint and the metadata of the authorization server are both compared. */
export const userAgents = step(
  'user agents',
  ({ first, open }) => (first?.status === 401 || open ? undefined : 'the server was not reached'),
  async ({ ask }, known): Promise<readonly Compared[]> => {
    const { client } = known;
    const requests = [
      (userAgent: string | undefined) => firstRequest(known, { userAgent }),
      ...serversOf(known).map(({ url }) => (userAgent: string | undefined) => ({
        url,
        headers: { 'user-agent': userAgent },
      })),
    ];
    const compared: Compared[] = [];
    for (const request of requests) {
      const { url: asked, status: usual } = await ask(request(client.userAgent));
      // All at once: a firewall may hold each of them back until its time is over.
      const others = await Promise.all(
        USER_AGENTS.map(async ([who, userAgent]) => ({
          who,
          userAgent,
          status: (await ask(request(userAgent))).status,
        })),
      );
      compared.push({ url: asked, usual, others });
    }
    return compared;
  },
  judgeUserAgents,
);

function judgeUserAgents(compared: readonly Compared[]): Verdict {
  const differing = compared.flatMap(({ url, usual, others }) =>
    others.filter(({ status }) => status !== usual).map((other) => ({ ...other, url, usual })),
  );
  if (differing.length === 0) return passed(`${USER_AGENTS.length} user agents get the same answer`);
  if (differing.every(({ status }) => status === 429))
    return note('The server limits requests (429), so user agents were not compared.');
  const list = differing.map(
    ({ who, userAgent, status, usual, url }) =>
      `${who} (${userAgent ?? 'without a user agent'}) gets ${status || 'no answer'} instead of ${usual} from ${url}`,
  );
  const fix =
    'Exempt the MCP endpoint, /.well-known/ and the endpoints of the authorization server from the rules of the firewall about robots and AI ("Block AI bots", "Bot Fight Mode").';
  return fault('network', `The answer depends on the user agent: ${list.join('; ')}.`, fix);
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
  async ({ ask }, known): Promise<readonly Clock[]> => {
    const headers = { 'user-agent': known.client.userAgent };
    const others: ProbeResponse[] = [];
    for (const { url } of serversOf(known)) others.push(await ask({ url, headers }));
    return [
      ...clockOf(known.first, 'mcp-server'),
      ...others.flatMap((response) => clockOf(response, 'authorization-server')),
    ];
  },
  judgeClocks,
);

/** RFC 9111 §4.2.3: a cache sends the old `Date` with an `Age` in seconds. */
export function clockOf(response: ProbeResponse | undefined, responsible: Clock['responsible']): readonly Clock[] {
  const date = Date.parse(response?.headers.date ?? '') + Number(response?.headers.age ?? 0) * 1000;
  if (!response || Number.isNaN(date)) return [];
  const { url, sentAt, answeredAt } = response;
  return [{ host: new URL(url).host, responsible, ahead: date - (sentAt + answeredAt) / 2 }];
}

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
