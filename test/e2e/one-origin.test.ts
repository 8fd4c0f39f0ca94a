/**
 * Proves that both services fit on one host: an issuer with a path (RFC 8414 §3.1) behind a proxy that does not change
 * paths, the MCP server beside it, and the real clients.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestServer } from '@mcp-oauth/shared/testing/listen';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClientState } from '../support/client-state.ts';
import { drivers } from '../support/drivers.ts';
import { gateway } from '../support/gateway.ts';
import { REDIRECT_URI } from '../support/oauth-client.ts';
import { Person } from '../support/person.ts';
import { Run } from '../support/stack.ts';

/** The paths that a proxy has to pass on to auth-server; the rest is the MCP server's. */
const BELONGS_TO_AUTH = /^\/(auth|\.well-known\/(oauth-authorization-server|openid-configuration)\/auth)([/?]|$)/;

describe('RFC 8414 §3.1 an issuer with a path and the MCP server at one origin', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'mcp-oauth-e2e-'));
  let proxy: TestServer;
  let runs: readonly Run[] = [];

  beforeAll(async () => {
    const [auth, mcp, idp] = await freePorts(3);
    proxy = await gateway((path) => (BELONGS_TO_AUTH.test(path) ? auth : mcp));
    const env = {
      PUBLIC_URL: proxy.url,
      RESOURCES: proxy.url,
      ISSUER: `${proxy.url}/auth`,
      DEVELOPMENT_IDP_URL: `http://localhost:${idp}`,
      DATA_DIR: dataDir,
    };
    runs = [
      new Run({ ...env, PORT: String(auth) }, 'auth-server/src/main.ts'),
      new Run({ ...env, PORT: String(mcp) }, 'mcp-server/src/main.ts'),
      new Run(env, 'development-idp/src/main.ts'),
    ];
    await Promise.all(runs.map((run) => run.says('"msg":"ready"')));
  });
  afterAll(async () => {
    await Promise.all(runs.map((run) => run.stop()));
    await proxy?.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it.each(drivers)('$name: 401, discovery, registration, sign-in, a tool, refresh, a wider scope', async (driver) => {
    const url = new URL(proxy.url + driver.path);
    const state = new ClientState(REDIRECT_URI);
    const person = new Person();
    const authorize = async () => {
      const asked = state.takeAuthorizationUrl();
      expect(asked.origin + asked.pathname).toBe(`${proxy.url}/auth/authorize`);
      const answer = await person.signIn(asked, REDIRECT_URI);
      expect(answer.searchParams.get('iss'), 'RFC 9207 §2 iss').toBe(`${proxy.url}/auth`);
      await driver.finish(url, state, answer);
    };

    await expect(driver.connect(url, state)).rejects.toSatisfy(driver.isUnauthorized);
    await authorize();
    const first = await driver.connect(url, state);
    expect(await first.call('whoami', {})).toMatchObject({ isError: false });
    await first.close();

    state.spoilAccessToken();
    const refreshed = await driver.connect(url, state);
    expect((await refreshed.call('sum', { a: 1, b: 2 })).text).toContain('3');
    await refreshed.close();

    await driver.stepUp(url, state, 'mcp:tools mcp:admin');
    await authorize();
    const wider = await driver.connect(url, state);
    expect(await wider.call('server_status', {})).toMatchObject({ isError: false });
    await wider.close();
  });
});
