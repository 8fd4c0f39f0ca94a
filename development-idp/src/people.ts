/** Owns the two people who can sign in, with one click and without a password. */

export interface Person {
  readonly subject: string;
  readonly name: string;
  readonly email: string;
}

export const people: readonly Person[] = [
  { subject: 'alice', name: 'Alice Example', email: 'alice@example.com' },
  { subject: 'bob', name: 'Bob Example', email: 'bob@example.com' },
];

export const findPerson = (subject: unknown): Person | undefined => people.find((person) => person.subject === subject);
