/** Proves that a local subject stands for exactly one person upstream. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acceptIdentity, label, localSubject } from '../../src/federation/subject.ts';

describe('OpenID Connect Core §5.7 the local subject', () => {
  const pair = fc.record({ issuer: fc.string(), subject: fc.string() });

  it('the local subject is the same for the same issuer and subject, and differs for any other', () => {
    fc.assert(
      fc.property(pair, pair, (one, other) => {
        const same = one.issuer === other.issuer && one.subject === other.subject;
        expect(localSubject(one) === localSubject({ ...other })).toBe(same);
      }),
    );
  });

  it('the local subject does not confuse where the issuer ends and the subject begins', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), fc.string(), (issuer, middle, subject) => {
        const early = localSubject({ issuer, subject: middle + subject });
        expect(localSubject({ issuer: issuer + middle, subject })).not.toBe(early);
      }),
    );
  });

  it('the local subject has 43 characters of base64url, which every consumer accepts', () => {
    fc.assert(fc.property(pair, (person) => /^[\w-]{43}$/.test(localSubject(person))));
  });

  it('the local subject does not depend on name and e-mail, which can be reassigned', () => {
    const person = { issuer: 'https://id.example', subject: '1' };
    const renamed = { ...person, name: 'Bob', email: 'alice@example.com' };
    expect(localSubject(renamed)).toBe(localSubject(person));
  });

  it('the local subject never changes from one release to the next', () => {
    expect(localSubject({ issuer: 'https://id.example', subject: '1' })).toBe(
      'eYHtnZttNqEPviHDXt10NgVuvpcGvPN6aH2bz7rMqDM',
    );
  });
});

describe('OpenID Connect Core §2 an identity that names one person', () => {
  const issuer = 'https://id.example';

  it.each(['0', 'alice', ' alice', 'opaque|0001/ü', '🐘', 'x'.repeat(255)])(
    'an identity with the subject %j is accepted',
    (subject) => {
      expect(acceptIdentity({ issuer, subject })).toEqual({ issuer, subject });
    },
  );

  it.each([
    [''], [' '], ['\t\r\n'], ['\u200b'], ['\u00a0\u3000'], ['\u0000'], ['\u2800'], ['\u00ad\u180e'], ['x'.repeat(256)],
    ['\ud83d'], ['a\ufffd'], [undefined], [null], [0], [583231], [true], [{}], [['alice']],
  ])('an identity with the subject %j is refused', (subject) => {
    const identity = { issuer, subject } as unknown as Parameters<typeof acceptIdentity>[0];
    expect(() => acceptIdentity(identity)).toThrow(/^sub of the person /);
  }); // biome-ignore format: one list

  it.each([[''], [undefined], [null], [' '], [7]])('an identity with the issuer %j is refused', (wrong) => {
    const identity = { issuer: wrong, subject: '1' } as unknown as Parameters<typeof acceptIdentity>[0];
    expect(() => acceptIdentity(identity)).toThrow(/^iss of the person /);
  });

  it('a label is one line of limited length, and keeps the joiners that names need', () => {
    expect(label('Ada\r\nLovelace\u202e')).toBe('Ada Lovelace');
    expect(label('می\u200cخواهم')).toBe('می\u200cخواهم');
    expect(label('🐘'.repeat(300))).toBe('🐘'.repeat(200));
    for (const nothing of ['', ' ', '\u200b', 7, null, undefined, {}]) expect(label(nothing)).toBeUndefined();
  });
});
