import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acceptedBy } from '../../../src/protocol/wire/accepted.ts';

const read = (accept?: string) => {
  const { json, stream, streamFirst } = acceptedBy({ headers: { accept } } as unknown as IncomingMessage);
  return [json && 'json', stream && 'stream', streamFirst && 'first'].filter(Boolean).join(' ');
};

describe('RFC 9110 §12.5.1 Accept', () => {
  it.each([
    [undefined, 'json stream'],
    ['*/*', 'json stream'],
    ['application/json, text/event-stream', 'json stream'],
    ['application/json,text/event-stream', 'json stream'],
    ['Application/JSON, Text/Event-Stream', 'json stream'],
    ['application/*, text/*', 'json stream'],
    ['application/json', 'json'],
    ['text/event-stream', 'stream first'],
    ['application/json, text/event-stream;q=0', 'json'],
    ['text/html', ''],
    ['application/jsonp, text/event-streams', ''],
    ['', ''],
  ])('Accept: %s allows the answer: %s', (accept, expected) => {
    expect(read(accept)).toBe(expected);
  });

  it.each([
    ['text/event-stream, application/json', 'json stream first'],
    ['text/event-stream, */*', 'json stream first'],
    ['*/*, text/event-stream', 'json stream'],
    ['text/event-stream;q=0.5, application/json', 'json stream'],
    ['application/json;q=0.5, text/event-stream', 'json stream first'],
    ['application/json; charset=utf-8; q=0.5, text/event-stream; q=0.6', 'json stream first'],
  ])('the media type named first is preferred among equals: %s', (accept, expected) => {
    expect(read(accept)).toBe(expected);
  });

  it('an arbitrary Accept header never throws', () => {
    fc.assert(fc.property(fc.string(), (accept) => typeof read(accept) === 'string'));
  });
});
