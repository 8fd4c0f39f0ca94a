/** Proves what a person is called where an operator reads it. */
import { describe, expect, it } from 'vitest';
import { namesOf } from '../../src/federation/person-names.ts';

describe('the names of a person', () => {
  it.each([
    [{ name: 'Ada', username: 'ada' }, 'Ada'],
    [{ username: 'ada' }, 'ada'],
    [{}, undefined],
  ])('the name of %j is %s', (identity, name) => {
    expect(namesOf(identity).name).toBe(name);
  });

  it.each([
    [{ email: 'a@x.example', verifiedEmails: ['b@x.example'], unverifiedEmail: 'c@x.example' }, 'a@x.example'],
    [{ verifiedEmails: ['b@x.example'], unverifiedEmail: 'c@x.example' }, 'b@x.example'],
    [{ unverifiedEmail: 'c@x.example' }, 'c@x.example (unverified)'],
    [{}, undefined],
  ])(
    'OpenID Connect Core §5.1 an address of %j is shown as %s: one that is not verified says so',
    (identity, address) => {
      expect(namesOf(identity).address).toBe(address);
    },
  );

  it('an account that is no longer stored has no names', () => {
    expect(namesOf(undefined)).toEqual({ name: undefined, address: undefined });
  });
});
