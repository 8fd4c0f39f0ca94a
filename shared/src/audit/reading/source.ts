/** Owns where the lines of a trail are read from: files, standard input, or the Redis stream of a service; each with its place. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { StartError } from '../../errors.ts';
import type { RedisClient } from '../../redis/ready.ts';
import { FIELD } from '../sinks/redis-sink.ts';

export interface Line {
  readonly text: string;
  /** The file or stream. */
  readonly source: string;
  /** Where in it: number of the line, or id in the stream. */
  readonly place: string;
}

const STANDARD_INPUT = 0;

/** @throws StartError if a file can't be read */
export async function* linesOfFiles(paths: readonly string[]): AsyncGenerator<Line> {
  for (const path of paths) {
    const [source, file] = path === '-' ? ['standard input', { fd: STANDARD_INPUT }] : [path, {}];
    let number = 0;
    try {
      for await (const text of createInterface({ input: createReadStream(path, file), crlfDelay: Infinity })) {
        number += 1;
        yield { text: withoutPrefix(text), source, place: `line ${number}` };
      }
    } catch (cause) {
      throw new StartError(`${JSON.stringify(path)} can't be read (${(cause as NodeJS.ErrnoException).code})`, {
        cause,
      });
    }
  }
}

/** `docker compose logs` writes the name of the container before each line. */
const withoutPrefix = (text: string): string =>
  text.startsWith('{') ? text : text.slice(Math.max(0, text.indexOf('{')));

const PAGE = 1_000;

/** Entries that are added meanwhile are read too. */
export async function* linesOfStream(redis: RedisClient, stream: string): AsyncGenerator<Line> {
  for (let after = '-'; ; ) {
    const page = await redis.xrange(stream, after, '+', 'COUNT', PAGE);
    for (const [id, fields] of page) {
      yield { text: fields[fields.indexOf(FIELD) + 1] ?? '', source: stream, place: id };
      after = `(${id}`;
    }
    if (page.length < PAGE) return;
  }
}
