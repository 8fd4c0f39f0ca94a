/** Owns the proof that a local subject stands for exactly one person upstream. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acceptIdentity, label, localSubject } from '../../src/federation/subject.ts';

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

describe('OpenID Connect Core §2 an identity that names one person', () => {
  const issuer = 'https://id.example';

  it.each(['0', 'alice', ' alice', 'opaque|0001/ü', '🐘', 'x'.repeat(255)])('is one with the subject %j', (subject) => {
    expect(acceptIdentity({ issuer, subject })).toEqual({ issuer, subject });
  });

  it.each([
    [''], [' '], ['\t\r\n'], ['\u200b'], ['\u00a0\u3000'], ['\u0000'], ['\u2800'], ['\u00ad\u180e'], ['x'.repeat(256)],
    ['\ud83d'], ['a\ufffd'], [undefined], [null], [0], [583231], [true], [{}], [['alice']],
  ])('is none with the subject %j', (subject) => {
    const identity = { issuer, subject } as unknown as Parameters<typeof acceptIdentity>[0];
    expect(() => acceptIdentity(identity)).toThrow(/^sub of the person /);
  }); // biome-ignore format: one list

  it.each([[''], [undefined], [null], [' '], [7]])('is none with the issuer %j', (wrong) => {
    const identity = { issuer: wrong, subject: '1' } as unknown as Parameters<typeof acceptIdentity>[0];
    expect(() => acceptIdentity(identity)).toThrow(/^iss of the person /);
  });

  it('has labels of one bearable line, which keep the joiners that names need', () => {
    expect(label('Ada\r\nLovelace\u202e')).toBe('Ada Lovelace');
    expect(label('می\u200cخواهم')).toBe('می\u200cخواهم');
    expect(label('🐘'.repeat(300))).toBe('🐘'.repeat(200));
    for (const nothing of ['', ' ', '\u200b', 7, null, undefined, {}]) expect(label(nothing)).toBeUndefined();
  });
});
