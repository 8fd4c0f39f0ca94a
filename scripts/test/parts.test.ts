/**
 * Proves which processes `npm start` runs and with which ports: one port for each process, whatever the settings are.
 */
import { expect, it } from 'vitest';
import { partsOf } from '../parts.ts';

const metricsOf = (METRICS_PORT: string) => partsOf({ METRICS_PORT }).parts.map(({ env }) => env.METRICS_PORT);

it("auth-server's metrics port is the one above mcp-server's, and the development IdP has none", () => {
  expect(metricsOf('9464')).toEqual(['9464', '9465', undefined]);
  expect(metricsOf('65535')).toEqual(['65535', '65534', undefined]);
  expect(metricsOf('0')).toEqual(['0', '0', undefined]);
  // Each service validates the setting itself.
  expect(metricsOf('many')).toEqual(['many', 'many', undefined]);
});

it('PORT applies to mcp-server alone', () => {
  expect(partsOf({ PORT: '8181' }).parts.map(({ env }) => [env.PORT, env.PUBLIC_URL])).toEqual([
    ['8181', 'http://localhost:8181'],
    [undefined, 'http://localhost:8181'],
    [undefined, 'http://localhost:8181'],
  ]);
});

it.each([
  [{}, undefined],
  [{ PUBLIC_URL: 'https://mcp.example.com', ISSUER: 'https://auth.example.com' }, undefined],
  [{ PORT: '9000' }, /^ISSUER: port 9000 is for auth-server, but PORT uses it for mcp-server;/],
  [{ PUBLIC_URL: 'http://localhost:9001' }, /^DEVELOPMENT_IDP_URL: port 9001 .* PUBLIC_URL uses it for mcp-server;/],
  [{ METRICS_PORT: '8999' }, /^METRICS_PORT: port 9000 is for the metrics of auth-server, but ISSUER|^ISSUER: port 9000/],
  [{ ISSUER: 'http://localhost:8080/auth' }, /^ISSUER: port 8080 is for auth-server, but PUBLIC_URL/],
])('the ports of %j are judged before anything starts', (env, problem) => {
  const { problems } = partsOf(env);
  expect(problems).toEqual(problem ? [expect.stringMatching(problem)] : []);
}); // biome-ignore format: one row each
