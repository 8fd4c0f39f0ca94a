/** Proves how lists of rules are written, and which mistakes are named. */
import { mkdtempSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { afterAll, describe, expect, it } from 'vitest';
import { openRuleFiles } from '../../src/access/rules/rule-files.ts';
import { parseRuleFile, parseRuleList } from '../../src/access/rules/rule-list.ts';
import { parseScopeRules, permittedScopes } from '../../src/access/scope-rules.ts';

const texts = (written: string) => parseRuleList(written).rules.map(({ text }) => text);

describe('a list of rules', () => {
  it('rules are separated by commas or line breaks, or are a JSON array', () => {
    expect(texts('domain:example.com, email:a@b.example')).toEqual(['domain:example.com', 'email:a@b.example']);
    expect(texts('group:a\n\nrole:b\n')).toEqual(['group:a', 'role:b']);
    expect(texts('["group:CN=ops,OU=groups"]')).toEqual(['group:CN=ops,OU=groups']);
    expect(parseRuleList('file:/etc/people, anyone').files).toEqual(['/etc/people']);
  });

  it.each([
    ['', 'expected at least one rule'],
    ['example.com', 'is not a rule'],
    ['Domain:example.com', 'is not a rule'],
    ['domain:', 'has no value'],
    ['domain:exa mple.com', 'expected a domain'],
    ['domain:*', 'expected a domain'],
    ['domain:*.*.com', 'expected a domain'],
    ['domain:localhost', 'expected a domain'],
    ['domain:@example.com', 'expected a domain'],
    ['email:*@example.com', 'write domain:example.com'],
    ['team:acme/*', 'values are compared whole'],
    ['user:*', 'values are compared whole'],
    ['email:alice', 'expected an e-mail address'],
    ['claim:groups', 'expected claim:<path>=<value>'],
    ['claim:=ops', 'expected claim:<path>=<value>'],
    ['file:', 'file: names no file'],
    ['domain:example.com/x', 'expected a domain'],
    ['domain:example.com#x', 'expected a domain'],
    ['domain:%65xample.com', 'expected a domain'],
    ['claim:email=alice@example.com', 'write email:alice@example.com'],
    ['group:a; group:b', 'looks like two rules'],
    ['group:a # temporary', 'a rule with a comment'],
    ['[1]', 'expected a JSON array of texts'],
    ['["group:a"', 'or a JSON array'],
    [`group:${'a'.repeat(2_000)}`, 'longer than'],
  ])('%j is refused with the reason', (written, reason) => {
    expect(() => parseRuleList(written)).toThrow(reason);
  });

  it('scopes have rules in text or in JSON', () => {
    const inText = parseScopeRules('mcp:admin=group:ops,role:x; notes:*=claim:a.b=c');
    expect(inText.map(({ pattern, people }) => [pattern, ...people.rules.map(({ text }) => text)])).toEqual([
      ['mcp:admin', 'group:ops', 'role:x'],
      ['notes:*', 'claim:a.b=c'],
    ]);
    expect(parseScopeRules('{"mcp:admin":["group:ops","role:x"],"notes:*":"claim:a.b=c"}')).toEqual(inText);
  });

  it('SCOPE_RULES=none gives nobody a scope beyond the base scope', () => {
    const person = { issuer: 'https://id.example.com', subject: '1' };
    expect(parseScopeRules(' none ')).toEqual([]);
    expect(permittedScopes(person, ['mcp:tools', 'mcp:admin'], [], new Set(['mcp:tools']))).toEqual(['mcp:tools']);
  });

  it.each([
    ['mcp:admin', 'expected scopes and their rules'],
    ['{}', 'expected scopes and their rules'],
    ['{"a":1}', 'expected scopes and their rules'],
    ['mcp:*:x=anyone', 'is not a scope'],
    ['a b=anyone', 'is not a scope'],
    ['mcp:admin=nobody', 'mcp:admin: "nobody" is not a rule'],
  ])('the scope rules %j are refused with the reason', (written, reason) => {
    expect(() => parseScopeRules(written)).toThrow(reason);
  });
});

describe('a file of rules', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rules-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const write = (content: string) => {
    writeFileSync(join(folder, 'new'), content);
    renameSync(join(folder, 'new'), path);
  };
  const path = join(folder, 'people.txt');

  it('one rule stands in each line, and a mistake is named by its line', () => {
    expect(parseRuleFile('\ufeff# people\r\ndomain:example.com\r\n\r\n  email:a@b.example').length).toBe(2);
    expect(() => parseRuleFile('anyone\nalice')).toThrow('line 2: "alice" is not a rule');
    expect(() => parseRuleFile('group:a, group:b')).toThrow('line 1: "group:a, group:b" looks like two rules');
    expect(() => parseRuleFile('file:/etc/other')).toThrow('may not name another file');
  });

  it('a file is read again when it has changed, and a mistake leaves the previous rules in force', async () => {
    write('email:a@b.example');
    const clock = new FakeClock();
    const troubles: string[] = [];
    const counts: number[] = [];
    const files = await openRuleFiles([path], {
      clock,
      onTrouble: (_, reason) => troubles.push(reason),
      onChange: (_, rules) => counts.push(rules),
    });
    const after = async (content?: string) => {
      if (content === undefined) rmSync(path);
      else write(content);
      clock.advance(2_000);
      await files.refresh();
      return files.rulesIn(path).map(({ text }) => text);
    };
    expect(await after('email:c@d.example')).toEqual(['email:c@d.example']);
    expect(await after('nonsense')).toEqual(['email:c@d.example']);
    expect(await after('\n')).toEqual(['email:c@d.example']);
    expect(await after(undefined)).toEqual(['email:c@d.example']);
    expect(troubles).toEqual([
      expect.stringContaining('line 1'),
      expect.stringContaining('it is empty'),
      expect.stringContaining("can't be read"),
    ]);
    expect(await after('# nobody')).toEqual([]);
    expect(counts).toEqual([1, 0]);
  });

  it('a change that keeps the size and the time of the file counts too, and so does the same file once it is mended', async () => {
    write('email:a@b.example');
    const { atime, mtime } = statSync(path);
    const clock = new FakeClock();
    const troubles: string[] = [];
    const onTrouble = (_: string, reason: string) => troubles.push(reason);
    const files = await openRuleFiles([path], { clock, onTrouble, onChange: () => {} });
    const after = async (content: string) => {
      writeFileSync(path, content);
      utimesSync(path, atime, mtime);
      clock.advance(2);
      await files.refresh();
      return files.rulesIn(path).map(({ text }) => text);
    };
    expect(await after('email:c@d.example')).toEqual(['email:c@d.example']);
    expect(await after('emial:e@f.example')).toEqual(['email:c@d.example']);
    clock.advance(2);
    await files.refresh();
    expect(troubles, 'told once').toEqual([expect.stringContaining('line 1')]);
    expect(await after('email:e@f.example')).toEqual(['email:e@f.example']);
  });

  it('a clock that is set back does not stop the reading of changes', async () => {
    write('email:a@b.example');
    const clock = new FakeClock();
    const files = await openRuleFiles([path], { clock, onTrouble: () => {}, onChange: () => {} });
    clock.advance(-3_600);
    write('email:c@d.example');
    await files.refresh();
    expect(files.rulesIn(path).map(({ text }) => text)).toEqual(['email:c@d.example']);
  });

  it('a file that is not UTF-8 is refused, because its rules would match nobody', async () => {
    for (const bytes of [Buffer.from('group:M\xfcller', 'latin1'), Buffer.from('\ufeffgroup:ops', 'utf16le')]) {
      writeFileSync(path, bytes);
      const options = { clock: new FakeClock(), onTrouble: () => {}, onChange: () => {} };
      await expect(openRuleFiles([path], options)).rejects.toThrow('it is not UTF-8');
    }
  });

  it('a file that cannot be used stops the start', async () => {
    const clock = new FakeClock();
    const options = { clock, onTrouble: () => {}, onChange: () => {} };
    await expect(openRuleFiles([join(folder, 'missing')], options)).rejects.toThrow('ENOENT');
    write('nonsense');
    await expect(openRuleFiles([path], options)).rejects.toThrow('line 1');
  });
});
