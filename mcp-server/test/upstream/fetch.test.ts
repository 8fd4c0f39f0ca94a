/** Proves that requests of tools carry the token of the person to the upstream, and to no other place. */
import { serve } from '@mcp-oauth/shared/testing/listen';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ACCESS_TOKEN_URN } from '../../src/upstream/answer.ts';
import { callTool, probes, textOf } from './probe.ts';
import { digestOf, LOGINS, profileOf, SECRETS, type Stage, startStage } from './stage.ts';

let stage: Stage;
let elsewhere: Awaited<ReturnType<typeof serve>>;
const arrived: string[] = [];
beforeAll(async () => {
  elsewhere = await serve((req, res) => {
    arrived.push(JSON.stringify(req.headers));
    res.end('elsewhere');
  });
  stage = await startStage({}, { catalog: probes });
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  await elsewhere.close();
});
beforeEach(() => {
  stage.clock.advance(61);
  stage.paths.clear();
  stage.called.length = stage.asked.length = stage.log.length = arrived.length = 0;
  stage.answer = undefined;
  stage.accounts.clear();
  stage.accounts.set('ada', SECRETS.ofAda).set('bob', SECRETS.ofBob);
  stage.paths.set('/user', profileOf(LOGINS));
});

const ask = async (given: object, subject = 'ada') => textOf((await callTool(stage, 'probe', given, { subject })).body);

describe('requests of a tool for the person', () => {
  it('a path of the API gets the token of whoever calls, and not that of the client', async () => {
    expect(await ask({ url: '/user' })).toContain('ada-at-github');
    expect(await ask({ url: `${stage.api.url}/user` }, 'bob')).toContain('bob-at-github');
    expect(stage.called.map(({ headers }) => headers.authorization)).toEqual([
      `Bearer ${SECRETS.ofAda}`,
      `Bearer ${SECRETS.ofBob}`,
    ]);
  });

  it('method, headers and body of the tool are sent, except who calls and at which host', async () => {
    stage.paths.set('/issues', () => ({ status: 201 }));
    const headers = {
      'content-type': 'application/json',
      'x-own': 'yes',
      authorization: 'Bearer of-the-client',
      DPoP: 'a proof',
      Host: 'evil.example',
      'Proxy-Authorization': 'Basic x',
      'Transfer-Encoding': 'chunked',
    };
    expect(await ask({ url: '/issues', method: 'POST', headers, body: '{"a":1}' })).toMatch(/^201/);
    const [called] = stage.called;
    expect(called).toMatchObject({ method: 'POST', body: '{"a":1}' });
    expect(called?.headers).toMatchObject({
      'x-own': 'yes',
      'content-type': 'application/json',
      authorization: `Bearer ${SECRETS.ofAda}`,
      host: new URL(stage.api.url).host,
      'content-length': '7',
    });
    for (const name of ['dpop', 'proxy-authorization', 'transfer-encoding'])
      expect(called?.headers).not.toHaveProperty(name);
  });

  it('a URL of another host is refused before there is a token', async () => {
    const { host } = new URL(elsewhere.url);
    for (const url of [elsewhere.url, `//${host}/`, `/\\${host}/`, `http://${new URL(stage.api.url).host}@${host}/`]) {
      expect(await ask({ url })).toContain('The request was not sent');
    }
    expect([arrived, stage.asked, stage.called]).toEqual([[], [], []]);
  });

  it('RFC 9110 §15.4 a redirect within the API is followed with the token', async () => {
    stage.paths.set('/old', () => ({ status: 301, headers: { location: '/user' } }));
    expect(await ask({ url: '/old' })).toContain('ada-at-github');
  });

  it.each(['/', '//', 'back'])(
    'a redirect to another host (%s) is the answer, and nothing is sent there',
    async (how) => {
      const { host } = new URL(elsewhere.url);
      const location = { '/': elsewhere.url, '//': `//${host}/x`, back: `\\\\${host}/x` }[how] ?? '';
      stage.paths.set('/moved', () => ({ status: 302, headers: { location } }));
      expect(await ask({ url: '/moved' })).toContain(`302 ${location}`);
      expect(arrived).toEqual([]);
    },
  );

  it('a redirect that leads in a circle ends', async () => {
    stage.paths.set('/circle', () => ({ status: 302, headers: { location: '/circle' } }));
    expect(await ask({ url: '/circle' })).toMatch(/^302/);
    expect(stage.called).toHaveLength(6);
  });

  it.each([
    ['a POST', { method: 'POST', body: 'x' }],
    ['a tool that wants to see it', { redirect: 'manual' }],
  ])('a redirect is not followed for %s', async (_, more) => {
    stage.paths.set('/old', () => ({ status: 307, headers: { location: '/user' } }));
    expect(await ask({ url: '/old', ...more })).toMatch(/^307/);
    expect(stage.called).toHaveLength(1);
  });

  it('RFC 6750 §3.1 a token that the API refuses is reported once, and the request is sent with the new one', async () => {
    stage.paths.set('/user', profileOf({ [SECRETS.renewed]: 'ada-at-github' }));
    stage.answer = ({ form }) => {
      if (form.rejected_token === digestOf(SECRETS.ofAda)) stage.accounts.set('ada', SECRETS.renewed);
      return undefined;
    };
    expect(await ask({ url: '/user' })).toContain('ada-at-github');
    expect(stage.called).toHaveLength(2);
    expect(stage.asked).toHaveLength(2);
  });

  it('a token that the API refuses again is not tried a third time', async () => {
    stage.paths.set('/user', profileOf({}));
    stage.answer = ({ form }) => {
      if (form.rejected_token) stage.accounts.set('ada', SECRETS.renewed);
      return undefined;
    };
    expect(await ask({ url: '/user' })).toMatch(/^401/);
    expect(stage.called).toHaveLength(2);
  });

  it.each(['insufficient_scope', 'invalid_request', 'invalid_dpop_proof'])(
    'RFC 6750 §3.1 a 401 with the code %s is about the request, and the token is not reported',
    async (code) => {
      const headers = { 'www-authenticate': `Bearer realm="api", error="${code}"` };
      stage.paths.set('/user', () => ({ status: 401, headers, body: 'the reason' }));
      expect(await ask({ url: '/user' })).toBe('401  the reason');
      expect(stage.asked.map(({ form }) => form.rejected_token)).toEqual([undefined]);
    },
  );

  it('a 401 of an API whose provider accepts the token goes to the tool with its text, and nobody is asked', async () => {
    stage.paths.set('/user', () => ({ status: 401, body: 'the wrong host' }));
    stage.answer = () => ({
      status: 200,
      body: { access_token: SECRETS.ofAda, issued_token_type: ACCESS_TOKEN_URN, token_type: 'Bearer' },
    });
    expect(await ask({ url: '/user' })).toBe('401  the wrong host');
    expect(stage.called).toHaveLength(1);
    expect(stage.asked.map(({ form }) => form.rejected_token)).toEqual([undefined, digestOf(SECRETS.ofAda)]);
  });

  it('an API that is away is said to the model, without the reason that only the log has', async () => {
    await using closed = await startStage({ UPSTREAM_GITHUB_URL: 'http://127.0.0.1:1' }, { catalog: probes });
    const { body } = await callTool(closed, 'probe', { url: '/user?code=canary' });
    expect(textOf(body)).toBe('github (127.0.0.1:1) was not reached. Try again later.');
    expect(closed.log.join('')).toContain('upstream not reached');
    for (const secret of [SECRETS.ofAda, 'canary']) expect(closed.log.join('')).not.toContain(secret);
  });

  it('no token of anybody is in the log or in what the client gets, whatever happened', async () => {
    stage.paths.set('/old', () => ({ status: 302, headers: { location: elsewhere.url } }));
    const answers = await Promise.all([
      callTool(stage, 'probe', { url: '/user' }),
      callTool(stage, 'probe', { url: '/old' }),
      callTool(stage, 'probe', { url: elsewhere.url }),
      callTool(stage, 'holder', { reject: true }),
      callTool(stage, 'holder', {}, { subject: 'nobody' }),
    ]);
    const seen = [...stage.log, ...answers.map(({ sentText }) => sentText)].join('');
    const sent = stage.asked.flatMap(({ form }) => [form.subject_token, form.client_assertion]);
    expect(sent.length).toBeGreaterThan(3);
    for (const secret of [...Object.values(SECRETS), ...sent]) expect(seen).not.toContain(secret);
  });
});
