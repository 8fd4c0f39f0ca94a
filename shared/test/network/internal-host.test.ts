/** Proves which hosts are inside the network: secrets may be sent there over plain http, and never anywhere else. */
import { isInternal, isLoopback, plainHttpOutside } from '@mcp-oauth/shared/network/internal-host';
import { describe, expect, it } from 'vitest';

describe('inside the network', () => {
  it.each([
    'http://auth-server:9000/jwks', 'http://localhost:9000', 'http://auth_server', 'HTTP://AUTH-SERVER',
    'http://auth.internal', 'http://printer.local', 'http://idp.localhost', 'http://auth-server.mcp.svc',
    'http://auth-server.mcp.svc.cluster.local', 'http://nas.home.arpa', 'http://10.1.2.3', 'http://172.16.0.1',
    'http://172.31.255.255', 'http://192.168.0.1', 'http://100.64.0.1', 'http://100.127.255.255', 'http://127.0.0.53',
    'http://169.254.1.1', 'http://[::1]:9000', 'http://[fd00::1]', 'http://[fe80::1]', 'http://[::ffff:10.0.0.1]',
    'http://0x7f.1', 'http://2130706433',
  ])('%s is inside the network', (url) => {
    expect(isInternal(url)).toBe(true);
    expect(plainHttpOutside(url)).toBeUndefined();
  }); // biome-ignore format: one list

  it.each([
    'http://example.com',
    'http://auth-server.example',
    'http://internal.example.com',
    'http://svc.example',
    'http://local.example',
    'http://home.arpa.example',
    'http://arpa.home.example',
    'http://8.8.8.8',
    'http://172.15.0.1',
    'http://172.32.0.1',
    'http://100.63.0.1',
    'http://100.128.0.1',
    'http://11.0.0.1',
    'http://192.169.0.1',
    'http://134744072',
    'http://[2001:4860:4860::8888]',
    'http://[::ffff:8.8.8.8]',
    'http://10.0.0.1.example.com',
    'http://localhost.',
    'http://auth-server@example.com',
  ])('%s is outside the network', (url) => {
    expect(isInternal(url)).toBe(false);
    expect(plainHttpOutside(url)).toBe(`must use https unless it is inside the network (got "${url}")`);
    expect(plainHttpOutside(url.replace('http:', 'https:'))).toBeUndefined();
  });

  it.each(['', 'auth-server', 'http://', '10.0.0.1'])('%j is no URL and counts as outside', (text) => {
    expect(isInternal(text)).toBe(false);
  });
});

describe('RFC 8252 §7.3 loopback', () => {
  it.each(['http://localhost:8080/', 'http://127.0.0.1', 'https://[::1]:9000/x', 'http://LOCALHOST'])(
    '%s points at this machine',
    (url) => expect(isLoopback(url)).toBe(true),
  );

  it.each(['http://127.0.0.2', 'http://localhost.example', 'https://example.com', 'localhost', ''])(
    '%j does not point at this machine',
    (url) => expect(isLoopback(url)).toBe(false),
  );
});
