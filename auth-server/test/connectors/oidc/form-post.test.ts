/**
 * Proves that form_post is requested from a provider that answers by form, as Apple does, and that the name beside the
 * code is validated.
 */
import { describe, expect, it } from 'vitest';
import { checks } from '../../contracts/connector.contract.ts';
import { open, shown, start } from '../../support/oidc-stand-in.ts';

const SUBJECT = 'opaque|0001/ü';

describe('OAuth 2.0 Form Post Response Mode, as Apple answers', () => {
  const withUser = async (user: string, claims = {}) => {
    await using upstream = await start();
    upstream.claims = claims;
    const answer = await upstream.signIn(await upstream.connector.begin(checks));
    answer.searchParams.set('user', user);
    return (await upstream.connector.finish(answer, checks)).identity;
  };

  it('response_mode=form_post is requested where the operator sets it', async () => {
    await using upstream = await start();
    const target = await open(upstream.issuer, { responseMode: 'form_post' }).begin(checks);
    expect(target.searchParams.get('response_mode')).toBe('form_post');
    expect((await upstream.connector.begin(checks)).searchParams.has('response_mode')).toBe(false);
  });

  it('a form answer adds the name of the person, and no other claim', async () => {
    const user = { name: { firstName: 'Ada', lastName: 'Lovelace' }, email: 'forged@example.com', sub: 'forged' };
    expect(await withUser(JSON.stringify(user))).toMatchObject({ subject: SUBJECT, name: 'Ada Lovelace' });
    expect((await withUser(JSON.stringify(user))).email).toBeUndefined();
    expect((await withUser(JSON.stringify(user), { name: 'Signed' })).name).toBe('Signed');
  });

  it.each([
    ['no JSON', '{'],
    ['null', 'null'],
    ['no name', '{"email":"a@b.example"}'],
    ['a name of other kinds', '{"name":{"firstName":7,"lastName":null}}'],
    ['a name that is text', '{"name":"Ada"}'],
    ['more than 2 KiB', JSON.stringify({ name: { firstName: 'x'.repeat(3_000) } })],
  ])('a form answer with %s as user adds nothing', async (_, user) => {
    expect(shown(await withUser(user))).toEqual({ issuer: expect.any(String), subject: SUBJECT });
  });
});
