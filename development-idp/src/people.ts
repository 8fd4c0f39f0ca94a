/** Owns the two people who can sign in, with one click and without a password. */

export interface Person {
  readonly subject: string;
  readonly name: string;
  readonly email: string;
  readonly groups: readonly string[];
}

export const people: readonly Person[] = [
  { subject: 'alice', name: 'Alice Example', email: 'alice@example.com', groups: ['staff', 'ops'] },
  { subject: 'bob', name: 'Bob Example', email: 'bob@example.com', groups: ['staff'] },
];

export const findPerson = (subject: unknown): Person | undefined => people.find((person) => person.subject === subject);
