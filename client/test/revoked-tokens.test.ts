/** Proves that the doctor says whether a token is marked in the status list that it refers to. */
import { encode, setBit } from '@mcp-oauth/shared/status-list/status-list';
import { describe, expect, it } from 'vitest';
import { examine, type Report, stepsWith } from './support/examine.ts';
import { type Fault, startSite } from './support/site.ts';

const saysOf = ({ steps }: Report): string => steps.find(({ step }) => step === 'token')?.says ?? '';

/** The lists that sites publish, by their origins. */
const lists = new Map<string, string>();
const publishing: Fault = (answer, { path }, { origin }) =>
  path === '/status/1' ? { status: 200, headers: {}, body: lists.get(origin) } : answer;

async function startPublishing(marked: number, claims: object = {}) {
  const site = await startSite(publishing);
  const bits = new Uint8Array(128);
  setBit(bits, marked);
  const uri = `${site.origin}/status/1`;
  const list = { sub: uri, status_list: { bits: 1, lst: await encode(bits) }, ...claims };
  lists.set(site.origin, await site.token(list as never));
  const token = await site.token({ status: { status_list: { idx: 5, uri } } });
  return { site, uri, report: await examine(`${site.url} --token ${token}`) };
}

describe('Token Status List §8.3 a token with a status reference', () => {
  it('the doctor says that a token is not marked', async () => {
    const { site, uri, report } = await startPublishing(4);
    expect(saysOf(report)).toContain(`It is not revoked: entry 5 of ${uri} is not marked`);
    expect(stepsWith(report, 'note')).toEqual([]);
    await site[Symbol.asyncDispose]();
  });

  it('the doctor says that a token was revoked', async () => {
    const { site, uri, report } = await startPublishing(5);
    expect(saysOf(report)).toContain(`But its issuer has revoked it: entry 5 of ${uri} is marked`);
    await site[Symbol.asyncDispose]();
  });

  it('§7 the doctor says that a token was revoked in a list with more than one bit for each token', async () => {
    const bytes = new Uint8Array(128);
    bytes[2] = 0x20;
    const { site, uri, report } = await startPublishing(5, { status_list: { bits: 4, lst: await encode(bytes) } });
    expect(saysOf(report)).toContain(`But its issuer has revoked it: entry 5 of ${uri} is marked`);
    await site[Symbol.asyncDispose]();
  });

  it("the doctor says why a list can't be read", async () => {
    const { site, report } = await startPublishing(5, { sub: 'https://elsewhere.example' });
    expect(saysOf(report)).toContain("its status list can't be read");
    await site[Symbol.asyncDispose]();
  });
});
