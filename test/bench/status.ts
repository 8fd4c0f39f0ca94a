/**
 * Owns `npm run bench:status`: what the check of the status list adds to a request whose token is known, in a loop, with a list of a
 * million entries.
 */
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { systemClock } from '@mcp-oauth/shared/clock';
import type { Principal } from '../../mcp-server/src/authorization/principal.ts';
import { withStatus } from '../../mcp-server/src/authorization/status/check.ts';
import { StatusList } from '../../mcp-server/src/authorization/status/status-list.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, checks: { type: 'string', default: '2000000' } },
});

const ENTRIES = 2 ** 20;
const URI = 'https://auth.example.com/status/9f2c4b6a8d0e1f3a';
const now = Date.now() / 1000;
const principal = (idx: number | undefined): Principal => ({
  ...{ issuer: 'https://auth.example.com', subject: 'ada', clientId: 'desk', scopes: new Set(), claims: {} },
  expiresAt: now + 600,
  ...(idx !== undefined && { status: { uri: URI, idx, isLongLived: false } }),
});

const document = {
  bits: new Uint8Array(ENTRIES / 8),
  entries: ENTRIES,
  issuedAt: now,
  expiresAt: now + 3_600,
  kid: '1',
};
const list = new StatusList({
  read: async () => ({ document, etag: undefined }),
  limits: { maxAge: 5, grace: 300 },
  clock: systemClock,
  onChange: () => {},
  onFailure: (error) => Promise.reject(error),
  onRecovery: () => {},
});
await list.refresh();
const lists = new Map([['https://auth.example.com', new Map([[URI, list]])]]);

/** The tokens of a thousand people are known. */
const CALLERS = 1_024;
const known = (hasStatus: boolean) =>
  Array.from({ length: CALLERS }, (_, n) =>
    principal(hasStatus ? createHash('sha256').update(String(n)).digest().readUInt32BE() % ENTRIES : undefined),
  );

function nanoseconds(check: (token: string) => unknown, checks: number): number {
  const started = process.hrtime.bigint();
  for (let n = 0; n < checks; n += 1) check('');
  return Number(process.hrtime.bigint() - started) / checks;
}

const verifier = (principals: readonly Principal[]) => {
  let turn = 0;
  return () => {
    turn += 1;
    return principals[turn % CALLERS] as Principal;
  };
};
const checked = (principals: readonly Principal[]) =>
  withStatus(verifier(principals), {
    lists: {
      need: (issuer, { uri }, until) => {
        const found = lists.get(issuer)?.get(uri);
        found?.need(until);
        return found;
      },
    },
    unavailable: 'refuse',
    variableOf: () => undefined,
  });

const ways = {
  'no check': verifier(known(true)),
  'a token without a reference': checked(known(false)),
  'a token with a reference': checked(known(true)),
};
const [rounds, checks] = [Number(values.rounds), Number(values.checks)];
const measured = new Map(Object.keys(ways).map((name) => [name, [] as number[]]));
for (let round = 0; round <= rounds; round += 1) {
  // The first round warms up.
  for (const [name, way] of Object.entries(ways)) {
    const found = nanoseconds(way, checks);
    if (round > 0) measured.get(name)?.push(found);
  }
}
for (const [name, found] of measured) {
  const sorted = found.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  process.stdout.write(`${name.padEnd(28)} ${median.toFixed(1).padStart(7)} ns   (${rounds} rounds of ${checks})\n`);
}
