/** Owns the reading of a service's metrics in a test, over real HTTP as Prometheus does it. */
import type { Endpoint } from '../src/service.ts';
import { serve } from './listen.ts';

export interface Scraped {
  readonly text: string;
  /** Each line that has a number: `name{label="value"}`, and the number. */
  readonly values: ReadonlyMap<string, number>;
}

export async function scrape(endpoint: Pick<Endpoint, 'handler'> | undefined): Promise<Scraped> {
  if (!endpoint) throw new Error('this service has no metrics');
  await using server = await serve(endpoint.handler);
  const response = await fetch(`${server.url}/metrics`);
  if (response.status !== 200) throw new Error(`/metrics answered ${response.status}`);
  const text = await response.text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return { text, values: new Map(lines.map((line) => split(line, line.lastIndexOf(' ')))) };
}

const split = (line: string, at: number): [string, number] => [line.slice(0, at), Number(line.slice(at + 1))];
