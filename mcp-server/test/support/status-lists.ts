/** Owns a status list that an issuer of a test publishes: its marks, how it is signed, and every way to answer wrongly. */
import type { RequestListener } from 'node:http';
import type { Clock } from '@mcp-oauth/shared/clock';
import { encode, setBit } from '@mcp-oauth/shared/status-list/status-list';
import type { Foreign } from './foreign.ts';
import { type SigningKey, signToken } from './issuer.ts';

interface SignedAs {
  readonly key?: SigningKey;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly typ?: string;
}

export interface PublishedList {
  readonly uri: string;
  /** The claim of a token that refers to it. */
  status(idx: number): { status: { status_list: { idx: unknown; uri: string } } };
  /** Signs the list anew, with these marks in addition. */
  publish(marks?: readonly number[], as?: SignedAs): Promise<string>;
  /** Publishes this text. */
  replace(jwt: string): void;
  /** Answers by this handler from now on. */
  answer(handler: RequestListener): void;
  /** Status of each answer. */
  readonly answers: number[];
}

/** Number of entries of the list. */
export const ENTRIES = 4_096;

export async function publishList({ issuer, key }: Foreign, clock: Clock, path = '/status/1'): Promise<PublishedList> {
  const bits = new Uint8Array(ENTRIES / 8);
  const origin = new URL(issuer.url).origin;
  const uri = `${origin}${path}`;
  const answers: number[] = [];
  const published = { jwt: '', version: 0 };
  const replace = (jwt: string): void => {
    published.jwt = jwt;
    published.version += 1;
  };
  const publish = async (marks: readonly number[] = [], as: SignedAs = {}): Promise<string> => {
    for (const idx of marks) setBit(bits, idx);
    const now = clock.now() / 1000;
    const claims = {
      sub: uri,
      iat: now,
      exp: now + 3_600,
      ttl: 5,
      status_list: { bits: 1, lst: await encode(bits) },
      ...as.claims,
    };
    const jwt = await signToken({ key: as.key ?? key, claims, header: { typ: as.typ ?? 'statuslist+jwt' } });
    replace(jwt);
    return jwt;
  };
  const answer = (handler: RequestListener): void => {
    issuer.routes.set(path, (req, res) => {
      res.once('finish', () => answers.push(res.statusCode));
      handler(req, res);
    });
  };
  answer((req, res) => {
    const etag = `"${published.version}"`;
    if (req.headers['if-none-match'] === etag) return void res.writeHead(304, { etag }).end();
    res.writeHead(200, { 'content-type': 'application/statuslist+jwt', etag }).end(published.jwt);
  });
  await publish();
  return { uri, answers, publish, replace, answer, status: (idx) => ({ status: { status_list: { idx, uri } } }) };
}
