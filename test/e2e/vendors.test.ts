/**
 * Proves with real processes, and with a provider that we did not write, that the rule of each kind lets the right person in and keeps
 * out another one who looks like them.
 */
import { Events, OAuth2Server } from 'oauth2-mock-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TENANT } from '../../auth-server/test/support/vendors.ts';
import { OAuthClient, REDIRECT_URI } from '../support/oauth-client.ts';
import { Person as Browser } from '../support/person.ts';
import { Stack } from '../support/stack.ts';
import { type Person, VENDORS } from './vendors.ts';

const providers = new Map<string, OAuth2Server>();
/** Who signs in next at each provider. */
const people = new Map<string, Person>();
/** Requests to Microsoft Graph. */
const graph: (string | undefined)[] = [];
let stack: Stack;

async function startProvider(name: string): Promise<Readonly<Record<string, string>>> {
  const { path = '', env } = VENDORS[name] ?? expect.unreachable(name);
  const wellKnownDocument = `${path}/.well-known/openid-configuration`;
  const server = new OAuth2Server(undefined, undefined, { endpoints: { wellKnownDocument } });
  await server.issuer.keys.generate('RS256');
  await server.start(0, 'localhost');
  providers.set(name, server);
  const url = String(server.issuer.url);
  server.service.on(Events.BeforeWellKnownOpenIdConfiguration, (answer) => {
    Object.assign(answer.body as object, { issuer: url + path });
  });
  server.service.on(Events.BeforeTokenSigning, ({ payload }) => {
    Object.assign(payload, { iss: url + path, ...people.get(name)?.idToken });
  });
  server.service.on(Events.BeforeUserinfo, (answer) => {
    Object.assign(answer.body as object, people.get(name)?.userInfo);
  });
  server.service.addRoute('GET', '/v1.0/me/transitiveMemberOf', (request, response) => {
    graph.push(request.headers.authorization);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ value: [{ '@odata.type': '#microsoft.graph.group', id: 'of-graph' }] }));
  });
  const given = { CLIENT_ID: 'mcp', ...(name !== 'apple' && { CLIENT_SECRET: 'sample' }), ...env(url) };
  return Object.fromEntries(
    Object.entries(given).map(([variable, value]) => [`CONNECTOR_${name.toUpperCase()}_${variable}`, value]),
  );
}

beforeAll(async () => {
  const environments = await Promise.all(Object.keys(VENDORS).map(startProvider));
  stack = await Stack.start({ CONNECTORS: Object.keys(VENDORS).join(), ...Object.assign({}, ...environments) });
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  await Promise.all([...providers.values()].map((server) => server.stop()));
});

/** Signs this person in. @returns the answer to the client, or the text of the page that refuses them */
async function signIn(name: string, person: Person | undefined): Promise<URL | string> {
  people.set(name, person ?? {});
  const client = await OAuthClient.register(stack);
  const browser = new Browser();
  const page = await browser.open(client.authorizationUrl(), REDIRECT_URI);
  if (page instanceof URL) throw new Error(`no page: ${page}`);
  const title = { entra: 'Microsoft', gitlab: 'GitLab' }[name] ?? name;
  const end = await browser.press(page, new RegExp(`^Continue with ${title}$`, 'i'), REDIRECT_URI);
  return end instanceof URL ? end : end.body;
}

describe('the rule of a connector, at a provider as each vendor documents it', () => {
  it.each(Object.keys(VENDORS))(
    'OpenID Connect Core §3.1.2.5 %s: the person whom the rule allows comes in',
    async (name) => {
      const answer = await signIn(name, VENDORS[name]?.allowed);
      expect(answer).toBeInstanceOf(URL);
      expect((answer as URL).searchParams.get('code')).toBeTruthy();
    },
  );

  it.each(Object.keys(VENDORS))(
    'OpenID Connect Core §5.7 %s: a person who only looks like that stays out',
    async (name) => {
      expect(await signIn(name, VENDORS[name]?.refused)).toContain('This account has no access');
    },
  );

  it('Microsoft docs "Groups overage claim": groups that do not fit into the token let a person in', async () => {
    const tooMany = {
      tid: TENANT,
      _claim_names: { groups: 'src1' },
      _claim_sources: { src1: { endpoint: 'https://x' } },
    };
    expect(await signIn('entra', { idToken: tooMany })).toBeInstanceOf(URL);
    expect(graph).toEqual([expect.stringMatching(/^Bearer eyJ/)]);
  });
});
