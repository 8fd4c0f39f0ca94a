/**
 * Proves how the sign-in page describes scopes: with the operator's text, the default text, or the name of the scope.
 */
import { describe, expect, it } from 'vitest';
import { createResources } from '../../src/resources/resource.ts';
import { resources } from '../../src/resources/resource-setting.ts';
import { scopeDescriptions } from '../../src/resources/scope-description.ts';

const read = (text: string) => scopeDescriptions().safeParse(text);

describe('SCOPE_DESCRIPTIONS', () => {
  it('SCOPE_DESCRIPTIONS is a JSON object of scope names and texts', () => {
    expect(read('{"notes:write":" Change your notes "}').data).toEqual({ 'notes:write': 'Change your notes' });
    expect(read('{}').data).toEqual({});
  });

  it.each([
    'notes:write',
    '[]',
    '{"notes write":"x"}',
    '{"notes:write":""}',
    '{"notes:write":1}',
    `{"a":"${'x'.repeat(201)}"}`,
  ])('SCOPE_DESCRIPTIONS refuses %s and says what is expected', (text) =>
    expect(read(text).error?.issues[0]?.message).toContain('a JSON object of scope names'),
  );
});

describe('the description of a scope', () => {
  const words = { 'notes:write': 'Change your notes', 'mcp:tools': 'Use everything', 'notes:read': 'Read your notes' };

  it('a scope is described by its resource, then SCOPE_DESCRIPTIONS, then our text, then its name', () => {
    const scopes = { 'notes:write': 'Write notes', 'notes:read': '', 'mcp:admin': '', other: '' };
    const [resource] = createResources(
      resources().parse(JSON.stringify([{ url: 'https://a.example', scopes }])),
      undefined,
      { words },
    ).all;
    expect(resource?.scopes).toEqual({
      'notes:write': 'Write notes',
      'notes:read': 'Read your notes',
      'mcp:admin': expect.stringContaining('the status of this server'),
      other: 'other',
    });
  });

  it('the operator may describe our own scopes', () => {
    const [resource] = createResources(resources().parse('https://a.example'), undefined, { words }).all;
    expect(resource?.scopes).toMatchObject({ 'mcp:tools': 'Use everything' });
  });
});
