/**
 * Owns what is passed to openid-client of a token response (RFC 6749 §5.1, §5.2): only the members that are needed, so that an
 * invalid one such as `refresh_token: null` does no harm. An error becomes an UpstreamError with all its details.
 */

import { isObject } from '@mcp-oauth/shared/json';
import { refusalOf } from '../../federation/answer.ts';
import { UpstreamError } from '../../federation/connector.ts';

/** Member under which openid-client returns the id token unread: its own validation is stricter than needed. */
export const ID_TOKEN = 'unread_id_token';

/** @throws UpstreamError when the response is an error, whatever its status and content type */
export async function readTokenAnswer(response: Response): Promise<Response> {
  const { status, headers } = response;
  const body = await response.json().catch(() => undefined);
  const members = isObject(body) ? body : {};
  const refusal = refusalOf(members, status);
  if (refusal) throw refusal;
  if (status === 401 || headers.has('www-authenticate')) {
    throw new UpstreamError('unavailable', "the upstream refused this server's credentials", { status });
  }
  if (!response.ok) {
    const message = `the token endpoint answered ${status} without an error in JSON`;
    throw new UpstreamError('invalid_answer', message, { status, found: headers.get('content-type') ?? undefined });
  }
  if (!isObject(body)) {
    const facts = { status, expected: 'a JSON object', found: headers.get('content-type') ?? 'no content type' };
    throw new UpstreamError('invalid_answer', 'the token response is not a JSON object', facts);
  }
  const { access_token, token_type, id_token } = body;
  if (!isText(access_token)) {
    const facts = { claim: 'access_token', expected: 'a text', found: shapeOf(access_token) };
    throw new UpstreamError('invalid_answer', 'the token response has no access token', facts);
  }
  // RFC 6749 §5.1: compared without case. openid-client names neither the member nor its value.
  if (!isText(token_type) || !TOKEN_TYPES.has(token_type.toLowerCase())) {
    const facts = {
      claim: 'token_type',
      expected: 'Bearer',
      found: isText(token_type) ? token_type : shapeOf(token_type),
    };
    throw new UpstreamError('invalid_answer', 'the token response has no supported token type', facts);
  }
  const refresh_token = isText(body.refresh_token) ? body.refresh_token : undefined;
  return Response.json({
    access_token,
    token_type,
    refresh_token,
    scope: isText(body.scope) ? body.scope : undefined,
    expires_in: lifetimeIn(body.expires_in),
    [ID_TOKEN]: id_token,
  });
}

/** Some providers send the number as text. */
function lifetimeIn(value: unknown): number | undefined {
  const lifetime = typeof value === 'string' ? Number(value) : value;
  return typeof lifetime === 'number' && lifetime > 0 && Number.isFinite(lifetime) ? lifetime : undefined;
}

/** The types that openid-client supports (RFC 6750 §4, RFC 9449 §5). */
const TOKEN_TYPES: ReadonlySet<string> = new Set(['bearer', 'dpop']);

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** Describes a value without showing it, because it may be a misplaced credential. */
const shapeOf = (value: unknown): string => {
  if (value === undefined) return 'nothing';
  return value === null || value === '' ? JSON.stringify(value) : typeof value;
};
