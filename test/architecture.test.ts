/** Proves that the code keeps the rules of architecture, and that each rule can fail. */
import { describe, expect, it } from 'vitest';
import * as rules from './architecture/rules.ts';
import { parse, sourceFiles } from './architecture/source.ts';

const files = sourceFiles();
const opening = '/** Owns a sample. */\n';

const samples: Readonly<Record<keyof typeof rules, readonly (readonly [path: string, text: string])[]>> = {
  layers: [
    ['auth-server/src/federation/a.ts', `import { x } from '../http/app.ts';`],
    ['auth-server/src/http/a.ts', `import { x } from '../storage/sqlite.ts';`],
    ['mcp-server/src/tools/a.tool.ts', `import { x } from '../protocol/server.ts';`],
    ['mcp-server/src/compose/compose.ts', `import { x } from '../../../auth-server/src/config.ts';`],
    ['auth-server/src/http/b.ts', `import { x } from '../compose/compose.ts';`],
    ['auth-server/src/compose/a.ts', `import { x } from '../../../mcp-server/src/config.ts';`],
    ['shared/src/a.ts', `export { x } from '@mcp-oauth/mcp-server/define';`],
    ['mcp-server/src/storage/a.ts', `import { x } from '@mcp-oauth/shared/testing/redis';`],
  ],
  apart: [
    ['mcp-server/src/http/mcp/a.ts', `import { x } from '../documents/metadata.ts';`],
    ['mcp-server/src/protocol/stateless/a.ts', `import { x } from '../sessionful/json-rpc.ts';`],
  ],
  libraries: [
    ['auth-server/src/http/a.ts', `import Provider from 'oidc-provider';`],
    ['mcp-server/src/http/a.ts', `import { Server } from '@modelcontextprotocol/sdk/server/index.js';`],
    ['mcp-server/src/sessions/a.ts', `import type { Context } from 'koa';`],
    ['mcp-server/src/protocol/a.ts', `import Koa from 'koa';`],
    ['auth-server/src/keys/a.ts', `import { Redis } from 'ioredis';`],
  ],
  cycles: [
    ['shared/src/a.ts', `import { b } from './b.ts';`],
    ['shared/src/b.ts', `import { a } from '@mcp-oauth/shared/a';`],
  ],
  size: [
    ['shared/src/a.ts', '\n'.repeat(301)],
    ['shared/src/http/index.ts', ''],
    ['shared/src/utils/a.ts', ''],
  ],
  opening: [['shared/src/a.ts', 'export const a = 1;']],
  once: [['auth-server/src/http/a.ts', `list.addSubnet('10.0.0.0', 8);`]],
  handled: [
    ['shared/src/a.ts', `client.on('ready', async () => {});`],
    ['shared/src/a.ts', 'setInterval(async () => {}, 1);'],
    ['shared/src/a.ts', `signal.addEventListener(\n'abort', async function () {});`],
  ],
  ambient: [
    ['shared/src/a.ts', 'const a = process.env.A;'],
    ['auth-server/src/keys/a.ts', 'const now = Date.now();'],
    ['auth-server/src/http/a.ts', 'process.exit(1);'],
    ['auth-server/src/http/b.ts', 'export default 1;'],
    ['mcp-server/src/protocol/a.ts', 'res.writeHead(202).end();'],
    ['auth-server/src/http/c.ts', 'ctx.state.clientAddress = address;'],
  ],
};

describe('architecture', () => {
  it('the architecture test finds the code', () => {
    expect(files.length).toBeGreaterThan(50);
    expect(files.flatMap(({ imports }) => imports).length).toBeGreaterThan(100);
  });

  for (const [name, rule] of Object.entries(rules)) {
    it(`the code keeps the rule: ${name}`, () => expect(rule(files)).toEqual([]));

    it(`the test notices a breach of: ${name}`, () => {
      const broken = samples[name as keyof typeof rules].map(([path, text]) =>
        parse(path, name === 'opening' ? text : opening + text),
      );
      if (name === 'cycles') expect(rule(broken)).toHaveLength(1);
      else for (const file of broken) expect(rule([file]), file.path).toHaveLength(1);
    });
  }
});
