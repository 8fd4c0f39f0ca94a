/**
 * Owns calls that run while the certificate is renewed: over kept and new connections, over HTTP/1.1 and HTTP/2. It
 * counts what is answered, and reports what is not.
 */
import { once } from 'node:events';
import { connect } from 'node:http2';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import tls from 'node:tls';

export interface Call {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Report {
  readonly answered: number;
  /** What happened instead of an answer with the status 200. */
  readonly failed: readonly string[];
}

/** Milliseconds between two calls of one caller. */
const PACE = 10;

/** Calls all the time until `renew` has ended. */
export async function whileCalling(call: Call, renew: () => Promise<unknown>): Promise<Report> {
  const kept = new Agent({ keepAlive: true });
  const session = connect(call.url.origin);
  const callers = [
    () => over1(call, kept),
    () => over1(call, kept),
    () => over1(call, false),
    () => over1(call, false),
    () => over2(call, session),
    () => onNewSession(call),
  ];
  const state = { working: true, answered: 0, failed: [] as string[] };
  const work = async (caller: () => Promise<number>): Promise<void> => {
    while (state.working) {
      const status = await caller().catch(String);
      if (status === 200) state.answered += 1;
      else state.failed.push(String(status));
      await setTimeout(PACE);
    }
  };
  const all = Promise.all(callers.map(work));
  await renew().finally(() => {
    state.working = false;
  });
  await all;
  kept.destroy();
  session.close();
  return state;
}

/** The status of one call over HTTP/1.1, whose answer has arrived completely. */
const over1 = ({ url, headers, body }: Call, agent: Agent | false): Promise<number> =>
  new Promise((resolve, reject) => {
    const asked = request(url, { method: 'POST', headers, agent }, (response) => {
      text(response).then(() => resolve(response.statusCode ?? 0), reject);
    });
    asked.on('error', reject).end(body);
  });

/** The same as a stream of an HTTP/2 session. */
async function over2({ url, headers, body }: Call, session: ReturnType<typeof connect>): Promise<number> {
  const stream = session.request({ ':method': 'POST', ':path': url.pathname, ...headers });
  stream.end(body);
  const [answer] = await once(stream, 'response');
  await text(stream);
  return Number(answer[':status']);
}

async function onNewSession(call: Call): Promise<number> {
  const session = connect(call.url.origin);
  const failed = once(session, 'error').then(([error]) => Promise.reject(error));
  return await Promise.race([over2(call, session), failed]).finally(() => session.close());
}

/** The serial number of the certificate that a new connection gets. */
export async function serialOf({ hostname, port }: URL): Promise<string> {
  const socket = tls.connect({ host: hostname, servername: hostname, port: Number(port || 443) });
  await once(socket, 'secureConnect');
  const { serialNumber } = socket.getPeerCertificate();
  socket.end();
  return serialNumber;
}
