/** Proves that the lines of .env.example give what they show when somebody uncomments them. */
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { describe, expect, it } from 'vitest';
import { settings as authServer } from '../auth-server/src/config.ts';
import { settings as developmentIdp } from '../development-idp/src/config.ts';
import { settings as mcpServer } from '../mcp-server/src/config.ts';

const text = readFileSync(new URL('../.env.example', import.meta.url), 'utf8');
const lines = [...text.matchAll(/^#([A-Z]\w*=.*)$/gm)].map(([, line = '']) => line);
const declared = new Map(
  [developmentIdp, authServer, mcpServer]
    .flatMap((settings) => Object.values<{ env: string; example?: string; default?: string }>(settings))
    .map(({ env, example, default: usual }) => [env, example ?? usual ?? '']),
);
const others = ['CONNECTORS', 'TYPE', 'NAME', 'ISSUER', 'CLIENT_ID', 'CLIENT_SECRET', 'ALLOW'];

describe('.env.example', () => {
  it.each(lines.map((line) => [line]))('%s gives the value that it shows, once it is uncommented', (line) => {
    const [[name = '', value] = []] = Object.entries(parseEnv(line));
    if (others.includes(name.replace('CONNECTOR_ACME_', ''))) expect(value).toBe(line.slice(name.length + 1));
    else expect(value).toBe(declared.get(name));
  });
});
