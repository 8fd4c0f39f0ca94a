/**
 * Owns the error for a mistake of an author: a tool, a resource or a prompt returned or passed a value that MCP
 * can't carry. The message contains names and types and never values, so that both the caller and the log may have
 * it.
 */

import { z } from 'zod';

export class AuthorFault extends TypeError {
  override readonly name = 'AuthorFault';
}

/** @param what position of the value, such as `content[0].text` */
export const wrongType = (what: string, expected: string, value: unknown): AuthorFault =>
  new AuthorFault(`${what} has to be ${expected}, and is ${kindOf(value)}`);

/** The kind of a value, without its content. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object') return `a ${typeof value}`;
  const name: unknown = value.constructor?.name;
  if (typeof name !== 'string' || name === 'Object' || name === '') return 'an object';
  return `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${name}`;
}

const UNREADABLE = "an object that can't be read was thrown instead of an error";

/** An error whose message and stack can be read, whatever was thrown: reading a foreign object may throw. */
export function asError(thrown: unknown): Error {
  try {
    if (!(thrown instanceof Error)) return new TypeError(`${kindOf(thrown)} was thrown instead of an error`);
    for (const part of [thrown.name, thrown.message, thrown.stack]) String(part);
    return thrown;
  } catch {
    return unreadable();
  }
}

/** Replaces an error that throws when the log reads its members. */
export const unreadable = (): Error => new TypeError(UNREADABLE);

/** A plain object: no list, Map, Date, Promise, Buffer or similar, whose content JSON would lose. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  Object.prototype.toString.call(value) === '[object Object]';

/**
 * @returns a value as JSON; nothing for what JSON leaves out, such as a function
 * @throws AuthorFault for a value that JSON can't represent: a BigInt, or an object within itself
 */
export function requireJson(value: unknown, what: string): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    const [reason] = String(cause instanceof Error ? cause.message : cause).split('\n');
    throw new AuthorFault(`${what} can't be written as JSON: ${reason}`, { cause });
  }
}

/** @throws AuthorFault when the schema has an asynchronous check: all checks are synchronous */
export function parsed<S extends z.ZodType>(schema: S, value: unknown, what: string): ReturnType<S['safeParse']> {
  try {
    return schema.safeParse(value) as ReturnType<S['safeParse']>;
  } catch (cause) {
    if (!(cause instanceof z.core.$ZodAsyncError)) throw cause;
    throw new AuthorFault(`${what} has an asynchronous check; move it to where the arguments are used`, { cause });
  }
}
