/**
 * Owns the fault of a tool, a resource or a prompt that can be named: what its author gave back or handed over is not what MCP
 * can carry. The message has names and types in it and never values, so that the caller may read it as well as the log.
 */

import { z } from 'zod';

export class AuthorFault extends TypeError {
  override readonly name = 'AuthorFault';
}

/** @param what where it stands, such as `content[0].text` */
export const wrongType = (what: string, expected: string, value: unknown): AuthorFault =>
  new AuthorFault(`${what} has to be ${expected}, and is ${kindOf(value)}`);

/** What a value is, in words, without saying what is in it. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object') return `a ${typeof value}`;
  const name: unknown = value.constructor?.name;
  if (typeof name !== 'string' || name === 'Object' || name === '') return 'an object';
  return `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${name}`;
}

const UNREADABLE = 'no error, but an object that can not be read was thrown';

/** An error whose message and stack can be read, whatever was thrown: a foreign object may throw at every look at it. */
export function asError(thrown: unknown): Error {
  try {
    if (!(thrown instanceof Error)) return new TypeError(`no error, but ${kindOf(thrown)} was thrown`);
    for (const part of [thrown.name, thrown.message, thrown.stack]) String(part);
    return thrown;
  } catch {
    return unreadable();
  }
}

/** In place of an error that throws when the log reads its members. */
export const unreadable = (): Error => new TypeError(UNREADABLE);

/** An object with members, and no list, Map, Date, Promise, Buffer or the like, whose members JSON would lose. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  Object.prototype.toString.call(value) === '[object Object]';

/**
 * @returns a value as JSON; nothing for what JSON leaves out, such as a function
 * @throws AuthorFault when it can't be written so: a BigInt, or an object within itself
 */
export function requireJson(value: unknown, what: string): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    const [reason] = String(cause instanceof Error ? cause.message : cause).split('\n');
    throw new AuthorFault(`${what} can't be written as JSON: ${reason}`, { cause });
  }
}

/** @throws AuthorFault when the schema would have to wait: every check is made at once */
export function parsed<S extends z.ZodType>(schema: S, value: unknown, what: string): ReturnType<S['safeParse']> {
  try {
    return schema.safeParse(value) as ReturnType<S['safeParse']>;
  } catch (cause) {
    if (!(cause instanceof z.core.$ZodAsyncError)) throw cause;
    throw new AuthorFault(`${what} has a check that is asynchronous; make it where the arguments are used`, { cause });
  }
}
