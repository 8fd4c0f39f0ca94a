/**
 * Proves with real processes that an approval is valid only for the redirect URI that the page named (RFC 9700 §4.10):
 * a client registers two redirect URIs, the person approves one, and a second link uses the other.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OAuthClient } from '../support/oauth-client.ts';
import { Person } from '../support/person.ts';
import { Stack } from '../support/stack.ts';

const GOOD = 'https://claude.ai/api/mcp/auth_callback';
const EVIL = 'https://evil.example/callback';

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start();
});
afterAll(() => stack[Symbol.asyncDispose]());

/** A client with both redirect URIs, and a person who approved the first one. */
async function approved() {
  const client = await OAuthClient.register(stack, { client_name: 'Claude', redirect_uris: [GOOD, EVIL] });
  const person = new Person();
  const answer = await person.signIn(client.authorizationUrl({ redirect_uri: GOOD }), GOOD);
  expect(answer.searchParams.get('code')).toBeTruthy();
  return { client, person };
}

describe('a client with two redirect URIs, one of them approved', () => {
  it('an unapproved redirect URI gets a code only after a page that names its host, and an approved one without a page', async () => {
    const { client, person } = await approved();
    const page = await person.open(client.authorizationUrl({ redirect_uri: EVIL }), EVIL);
    if (page instanceof URL) throw new Error(`the browser left without a page, for ${page.host}`);
    expect(page.status).toBe(200);
    expect(page.body).toContain('evil.example');
    const again = await person.open(client.authorizationUrl({ redirect_uri: GOOD }), GOOD);
    expect(again instanceof URL && again.searchParams.has('code')).toBe(true);
    const denied = await person.press(page, /Deny/, EVIL);
    expect(denied instanceof URL && denied.searchParams.get('error')).toBe('access_denied');
  });

  it('OpenID Connect Core §3.1.2.6 an unapproved redirect URI with prompt=none gets consent_required and no code', async () => {
    const { client, person } = await approved();
    const answer = await person.open(client.authorizationUrl({ redirect_uri: EVIL, prompt: 'none' }), EVIL);
    expect(answer instanceof URL && Object.fromEntries(answer.searchParams)).toMatchObject({
      error: 'consent_required',
    });
    expect(answer instanceof URL && answer.searchParams.has('code')).toBe(false);
  });

  it('RFC 9126 §4 an unapproved redirect URI gets no code by a pushed request', async () => {
    const { client, person } = await approved();
    const { searchParams } = client.authorizationUrl({ redirect_uri: EVIL });
    const { json } = await client.post('/par', Object.fromEntries(searchParams));
    const url = new URL('/authorize', stack.authUrl);
    url.search = String(new URLSearchParams({ client_id: client.id, request_uri: String(json.request_uri) }));
    const page = await person.open(url, EVIL);
    expect(page instanceof URL ? page.href : page.body).toContain('Allow');
  });
});
