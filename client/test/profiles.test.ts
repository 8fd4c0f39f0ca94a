/** Proves that the clients that the doctor imitates send what was recorded of them. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PROFILES, USER_AGENTS } from '../src/clients/profiles.ts';

interface Recording {
  readonly flows: readonly { readonly name: string; readonly registration?: { readonly body: object } }[];
}

/** Members whose value a client learns on its way, such as scopes. */
const isLearned = (value: unknown): boolean => typeof value === 'string' && value.startsWith('{');

describe('a client that the doctor imitates', () => {
  it.each(Object.entries(PROFILES))('the registration of %s is the recorded one', (_, { recording, registration }) => {
    const file = new URL(`../../test/clients/${recording?.file}.json`, import.meta.url);
    const { flows }: Recording = JSON.parse(readFileSync(file, 'utf8'));
    const recorded = flows.find(({ name }) => name === recording?.flow)?.registration?.body ?? {};
    expect(registration).toEqual(Object.fromEntries(Object.entries(recorded).filter(([, value]) => !isLearned(value))));
  });

  it.each(Object.entries(PROFILES))('the user agent of %s has a source, and is compared with others', (_, client) => {
    expect(client.source).toMatch(/^https:|20\d\d/);
    expect(USER_AGENTS.map(([, userAgent]) => userAgent)).toContain(client.userAgent);
  });
});
