/**
 * Proves that the gateway takes a renewed certificate over also when HAProxy does not answer at once. deploy/gateway/tls/renewal.lua runs
 * in the Lua of a Redis, with stand-ins for HAProxy and the file; test/compose/production/own-certificate.test.ts has the real ones.
 */
import { readFileSync } from 'node:fs';
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis } from '@mcp-oauth/shared/redis';
import { whenReady } from '@mcp-oauth/shared/redis/ready';
import { redisUrl } from '@mcp-oauth/shared/redis/target';
import { hasRedis, NEEDS_REDIS, startRedis } from '@mcp-oauth/shared/testing/redis';
import { describe, expect, it } from 'vitest';

const SCRIPT = readFileSync(new URL('../deploy/gateway/tls/renewal.lua', import.meta.url), 'utf8');

/** Each look at the file gives the next content. The command of the number ARGV[2] gets no answer. */
const STAND_INS = `
local files, silent = cjson.decode(ARGV[1]), tonumber(ARGV[2])
local looks, commands, lines, task = 0, {}, {}, nil
local os = { getenv = function(name) return name == 'CERTIFICATE' and '/site.pem' or 'https://mcp.example.com' end }
local io = {
  open = function()
    looks = looks + 1
    return { read = function() return files[looks] end, close = function() end }
  end,
}
local function answer(command)
  commands[#commands + 1] = command:match('^%S+')
  if #commands == silent then return nil end
  if command:find('^show') then return 'Subject Alternative Name: DNS:mcp.example.com\\nAlgorithm: EC256\\n' end
  return command:find('^commit') and 'Success!' or 'Transaction created'
end
local core = {
  register_task = function(run) task = run end,
  msleep = function() if looks >= #files then error('the end') end end,
  log = function(_, line) lines[#lines + 1] = line end,
  tcp = function()
    local sent
    return {
      settimeout = function() end,
      connect = function() return true end,
      send = function(_, text) sent = text end,
      receive = function() return answer(sent) end,
      close = function() end,
    }
  end,
}
`;

/** @returns what the gateway asked HAProxy, and what it logged */
async function renewal(files: readonly string[], silent: number): Promise<readonly [string[], string[]]> {
  await using redis = await startRedis();
  const target = redisUrl().parse(redis.url);
  const client = openRedis({ target, name: 'test', log: createLogger('test', 'silent') });
  await whenReady(client);
  const script = `${STAND_INS}\n${SCRIPT}\npcall(task)\nreturn { commands, lines }`;
  try {
    return (await client.eval(script, 0, JSON.stringify(files), silent)) as [string[], string[]];
  } finally {
    client.disconnect();
  }
}

describe.skipIf(!hasRedis)(`the renewal of the certificate ${hasRedis ? '' : NEEDS_REDIS}`, () => {
  it.each([
    ['show', 1, []],
    ['set', 2, ['set']],
    ['show', 3, ['set', 'show']],
    ['commit', 4, ['set', 'show', 'commit']],
  ])('a command %s that gets no answer (number %i) costs no renewal: it is tried again', async (_, silent, before) => {
    const [commands, lines] = await renewal(['old', 'new', 'new'], silent);
    expect(commands).toEqual(['show', ...before, 'set', 'show', 'commit', 'show']);
    expect(lines.at(-1)).toMatch(/^gateway: new certificate, valid until/);
    expect(lines.join('\n')).not.toMatch(/refused|no client can connect/);
  });
});
