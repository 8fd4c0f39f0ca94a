/** Owns the requests to the token endpoint that are measured: client_credentials, code and refresh, for any server. */
import { type Call, CONNECTIONS, type Conversation, type Reply } from './load.ts';
import { CLIENT_ID, MACHINE_ID, MACHINE_SECRET, REDIRECT_URI, VERIFIER } from './parties.ts';
import type { Server } from './servers.ts';

/** Prepares so many requests to a server; each connection then begins its share of them. */
export type Work = (server: Server, total: number) => Promise<(connection: number) => Conversation>;

const token = (fields: Record<string, string>, headers?: Record<string, string>): Call => ({
  path: '/token',
  method: 'POST',
  body: new URLSearchParams(fields).toString(),
  ...(headers && { headers }),
});

const redemption = (code: string): Call =>
  token({
    grant_type: 'authorization_code',
    client_id: CLIENT_ID,
    redirect_uri: REDIRECT_URI,
    code_verifier: VERIFIER,
    code,
  });

const basic = { authorization: `Basic ${btoa(`${MACHINE_ID}:${MACHINE_SECRET}`)}` };
const machine = token({ grant_type: 'client_credentials', scope: 'mcp:tools' }, basic);

export const WORK = {
  client_credentials: async (_, total) => () => {
    let left = total / CONNECTIONS;
    return () => (left-- > 0 ? machine : undefined);
  },
  authorization_code: async (server, total) => {
    const codes = await server.mint(total);
    return () => () => {
      const code = codes.pop();
      return code === undefined ? undefined : redemption(code);
    };
  },
  refresh_token: async (server, total) => {
    const codes = await server.mint(CONNECTIONS);
    const first = await Promise.all(codes.map((code) => once(server, redemption(code))));
    return (connection) => {
      let left = total / CONNECTIONS;
      return (last) => {
        const { refresh_token } = JSON.parse((last ?? first[connection])?.text ?? '{}');
        return left-- > 0 ? token({ grant_type: 'refresh_token', client_id: CLIENT_ID, refresh_token }) : undefined;
      };
    };
  },
} satisfies Readonly<Record<string, Work>>;

async function once(server: Server, { path, method = 'GET', body }: Call): Promise<Reply> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, { method, headers, ...(body && { body }) });
  return { status: answer.status, text: await answer.text() };
}
