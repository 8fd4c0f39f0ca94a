/** Proves which hosts need no proxy. */
import { describe, expect, it } from 'vitest';
import { readNoProxy } from '../../src/network/no-proxy.ts';

const skips = (list: string, url: string) => readNoProxy(list)(new URL(url));

describe('NO_PROXY', () => {
  it.each([
    ['a.example', 'https://a.example/x'],
    ['a.example', 'https://b.a.example'],
    ['.a.example', 'https://b.a.example'],
    ['.a.example', 'https://a.example'],
    ['*.a.example', 'https://b.a.example'],
    ['x.example, A.Example', 'https://a.example'],
    ['a.example b.example', 'https://b.example'],
    ['a.example', 'https://a.example./'],
    ['a.example:8443', 'https://a.example:8443'],
    ['a.example:443', 'https://a.example'],
    ['*', 'https://anything.example'],
    ['10.0.0.0/8', 'https://10.1.2.3'],
    ['10.1.2.3', 'https://10.1.2.3'],
    ['10.1.2.3:443', 'https://10.1.2.3'],
    ['::1', 'https://[::1]:9'],
    ['[::1]:9', 'https://[::1]:9'],
    ['fd00::/8', 'https://[fd00::1]'],
    ['localhost', 'https://localhost:9000'],
  ])('the list %s: the URL %s is asked directly', (list, url) => {
    expect(skips(list, url)).toBe(true);
  });

  it.each([
    ['', 'https://a.example'],
    ['a.example', 'https://ba.example'],
    ['a.example', 'https://a.example.org'],
    ['a.example:8443', 'https://a.example'],
    ['10.0.0.0/8', 'https://11.0.0.1'],
    ['10.0.0.0/8', 'https://10.example'],
    ['10.1.2.3', 'https://10.1.2.30'],
  ])('the list %s: the URL %s goes through the proxy', (list, url) => {
    expect(skips(list, url)).toBe(false);
  });

  it.each([
    ['a*.example', 'https://ab.example'],
    ['https://a.example', 'https://a.example'],
    ['10.0.0.0/33', 'https://10.0.0.0'],
    ['a.example:x', 'https://a.example'],
    ['fe80::1%eth0', 'https://[fe80::1]'],
    ['[x]:443', 'https://x'],
    ['a.example/8', 'https://a.example'],
    ['<local>', 'https://local'],
  ])('the invalid entry %s names no host, and the entries beside it still do', (entry, url) => {
    expect(skips(entry, url)).toBe(false);
    expect(skips(`${entry}, ok.example`, 'https://ok.example')).toBe(true);
  });
});
