/** Proves for how long a document counts as fresh (RFC 9111 §4.2). */
import { expect, it } from 'vitest';
import { freshFor } from '../../src/documents/freshness.ts';

const bounds = { min: 60, max: 3_600, usual: 300 };

it.each([
  ['nothing', {}, 300],
  ['max-age', { 'cache-control': 'public, max-age=600' }, 600],
  ['s-maxage before max-age', { 'cache-control': 'max-age=600, s-maxage=900' }, 900],
  ['an age', { 'cache-control': 'max-age=600', age: '100' }, 500],
  ['no-store', { 'cache-control': 'no-store, max-age=600' }, 60],
  ['no-cache', { 'cache-control': 'no-cache' }, 60],
  ['private', { 'cache-control': 'private, max-age=600' }, 60],
  ['less than the least', { 'cache-control': 'max-age=0, must-revalidate' }, 60],
  ['more than the most', { 'cache-control': 'max-age=31536000' }, 3_600],
  ['capitals and quotes', { 'cache-control': 'Max-Age="600"' }, 600],
  ['an invalid number', { 'cache-control': 'max-age=soon' }, 60],
  ['an invalid age', { 'cache-control': 'max-age=600', age: 'old' }, 600],
  ['expires', { expires: 'Thu, 01 Jan 2026 00:10:00 GMT', date: 'Thu, 01 Jan 2026 00:00:00 GMT' }, 600],
  ['expires without a date', { expires: 'Thu, 01 Jan 2026 00:10:00 GMT' }, 300],
  ['expires: 0', { expires: '0', date: 'Thu, 01 Jan 2026 00:00:00 GMT' }, 60],
])('RFC 9111 §4.2 the freshness of an answer follows from %s', (_, headers, seconds) => {
  expect(freshFor(headers, bounds)).toBe(seconds);
});
