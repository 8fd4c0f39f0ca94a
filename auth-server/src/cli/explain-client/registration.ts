/** Owns the check of a registration (RFC 7591): it is sent to the server in this process, and the client that it makes is explained further. */
import type { JsonObject } from '@mcp-oauth/shared/json';
import type { Check } from './check.ts';
import { mendRegistration } from './mends.ts';
import type { Walk } from './verdict.ts';

interface Registered {
  readonly check: Check;
  /** Absent: the registration was refused. */
  readonly clientId?: string;
}

const BY_TOKEN =
  'REGISTRATION is token, so the client has to send an initial access token: the operator makes one with `initial-access-tokens add`';

export async function explainRegistration({ server, config }: Walk, payload: string): Promise<Registered> {
  const token = config.registration === 'token' ? await server.initialAccessToken() : undefined;
  const { status, body, log } = await server.ask('/register', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: payload,
  });
  const check = 'registration';
  if (status === 201) {
    const notes = [...(token ? [BY_TOKEN] : []), ...changesOf(payload, body)];
    return {
      check: { check, result: 'accepted', note: notes.join('; ') || undefined },
      clientId: String(body.client_id),
    };
  }
  const line = log.find(({ msg }) => msg === 'registration refused');
  const refused = { error: String(body.error), reason: String(line?.reason ?? body.error_description) };
  return { check: { check, result: 'refused', ...refused, ...mendRegistration(config) } };
}

/** Names of the members that the server has changed or left out. Their values may be secrets. */
function changesOf(payload: string, answer: JsonObject): readonly string[] {
  const sent = JSON.parse(payload) as JsonObject;
  const changed = Object.keys(sent).filter((name) => JSON.stringify(sent[name]) !== JSON.stringify(answer[name]));
  return changed.length > 0 ? [`the server leaves out or changes ${changed.join(', ')}`] : [];
}
