/** Owns the proof that a local subject stands for exactly one person upstream. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { localSubject } from '../../src/federation/subject.ts';

describe('OpenID Connect Core §5.7 the local subject', () => {
  const pair = fc.record({ issuer: fc.string(), subject: fc.string() });

  it('is the same for the same pair and differs for any other', () => {
    fc.assert(
      fc.property(pair, pair, (one, other) => {
        const same = one.issuer === other.issuer && one.subject === other.subject;
        expect(localSubject(one) === localSubject({ ...other })).toBe(same);
      }),
    );
  });

  it('does not mix up where the issuer ends and the subject begins', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), fc.string(), (issuer, middle, subject) => {
        const early = localSubject({ issuer, subject: middle + subject });
        expect(localSubject({ issuer: issuer + middle, subject })).not.toBe(early);
      }),
    );
  });

  it('fits wherever a subject must: 43 characters of base64url', () => {
    fc.assert(fc.property(pair, (person) => /^[\w-]{43}$/.test(localSubject(person))));
  });

  it('knows nothing of name and e-mail, which can change hands', () => {
    const person = { issuer: 'https://id.example', subject: '1' };
    const renamed = { ...person, name: 'Bob', email: 'alice@example.com' };
    expect(localSubject(renamed)).toBe(localSubject(person));
  });

  it('never changes from one release to the next', () => {
    expect(localSubject({ issuer: 'https://id.example', subject: '1' })).toBe(
      'eYHtnZttNqEPviHDXt10NgVuvpcGvPN6aH2bz7rMqDM',
    );
  });
});
