/** Owns `keys`: how an operator lists, rotates, retires and imports signing keys while the server runs. */
import { readFileSync } from 'node:fs';
import type { Command, CommandGroup, Invocation, Option } from '@mcp-oauth/shared/cli/command';
import { json, showList, timeOf } from '@mcp-oauth/shared/cli/list';
import { StartError } from '@mcp-oauth/shared/errors';
import { createKeyStore } from '../keys/key-store.ts';
import { type Keyring, type KeyringEntry, stateOf } from '../keys/keyring.ts';
import {
  introduce,
  type KeyChange,
  type KeyChangeDependencies,
  noticedAfter,
  retire,
  rotate,
} from '../keys/operator-changes.ts';
import { keyPolicyOf } from '../keys/settings.ts';
import { generateSigningKey, importSigningKey, type SigningKey } from '../keys/signing-key.ts';
import { personalKeyPolicy } from '../personal-tokens/settings.ts';
import { endingsOf, type WithStore } from './store.ts';

type WithKeys = <T>(invocation: Invocation, work: (dependencies: KeyChangeDependencies) => Promise<T>) => Promise<T>;

export function keysCommands(withStore: WithStore): CommandGroup {
  const withKeys: WithKeys = ({ env, options }, work) =>
    withStore(env, ({ config, store, clock }) => {
      const dependencies = { clock, generate: generateSigningKey };
      const policy = keyPolicyOf(config);
      return options.personal
        ? work({ ...dependencies, store: createKeyStore(store, 'personal'), policy: personalKeyPolicy(policy, config) })
        : work({ ...dependencies, store: createKeyStore(store), policy });
    });
  return {
    name: 'keys',
    summary: 'Keys that sign tokens. Running servers apply changes within KEY_POLL.',
    commands: [
      list(withKeys),
      rotateCommand(withKeys),
      endCommand(withStore),
      retireCommand(withKeys),
      importCommand(withKeys),
    ],
  };
}

/** The other ring has keys that sign nothing but these tokens. */
const personal: Option = { type: 'boolean', doc: 'The keys of personal tokens.' };

const list = (withKeys: WithKeys): Command => ({
  name: 'list',
  summary: 'Show all published keys, newest first.',
  options: { personal, json },
  run: (invocation) =>
    withKeys(invocation, async ({ store, clock }) => {
      const now = Math.floor(clock.now() / 1000);
      const ring = (await store.load())?.ring;
      const rows = ring?.map((entry) => describe(entry, ring, now)) ?? [];
      showList(invocation, rows, 'There are no keys yet: the server makes one at its first start.');
      return 0;
    }),
});

const describe = (entry: KeyringEntry, ring: Keyring, now: number) => ({
  kid: entry.key.kid,
  algorithm: entry.key.alg,
  state: stateOf(entry, ring, now),
  created: timeOf(entry.createdAt),
  signsFrom: timeOf(entry.signsFrom),
  publishedUntil: entry.publishedUntil === undefined ? null : timeOf(entry.publishedUntil),
});

const rotateCommand = (withKeys: WithKeys): Command => ({
  name: 'rotate',
  summary: 'Publish a new key, which signs after KEY_LEAD.',
  details:
    'With --now it signs as soon as every server has read it. To remove a key without a refused token: rotate --now, wait, then retire the old one. A key that leaked: end.',
  options: { now: { type: 'boolean', doc: 'Do not wait for caches.' }, personal },
  run: (invocation) =>
    withKeys(invocation, async (dependencies) => {
      const atOnce = invocation.options.now === true;
      tell(invocation, await rotate(dependencies, atOnce));
      if (atOnce) warnOfCaches(invocation, noticedAfter(dependencies.policy));
      return 0;
    }),
});

const retireCommand = (withKeys: WithKeys): Command => ({
  name: 'retire',
  summary: 'Remove a key that signs nothing any more from the key set, before its time.',
  details:
    'Its tokens are refused as soon as resource servers read the keys again. If it is the signing key, the next key signs at once; if there is none, a new key is made.',
  parameters: ['kid'],
  options: { personal },
  run: (invocation) =>
    withKeys(invocation, async (dependencies) => {
      const { kid = '' } = invocation.parameters;
      const done = await retire(dependencies, kid);
      invocation.stdout.write(`Retired ${kid}.\n`);
      tell(invocation, done);
      warnOfCaches(invocation, dependencies.policy.poll);
      return 0;
    }),
});

const endCommand = (withStore: WithStore): Command => ({
  name: 'end',
  summary: 'End a leaked key: its tokens are refused within seconds, and a new key signs at once.',
  details:
    'MCP servers that read the status lists meet the new key there, read the key set again and refuse the tokens of the ended key. Clients refresh and go on.',
  parameters: ['kid'],
  run: ({ env, parameters: { kid = '' }, stdout }) =>
    withStore(env, async (opened) => {
      await endingsOf(opened).end({ kind: 'key', kid }, { origin: 'cli' });
      stdout.write(`Ended ${kid}. Running servers sign with another key within KEY_POLL.\n`);
      return 0;
    }),
});

const importCommand = (withKeys: WithKeys): Command => ({
  name: 'import',
  summary: 'Publish a private key of another server, which signs after KEY_LEAD.',
  details:
    'A JWK or PEM, not encrypted, for SIGNING_ALGORITHM: P-256, Ed25519, or RSA with 2048 bits or more. `-` reads standard input. In a new store it signs from the first start.',
  parameters: ['file'],
  run: async (invocation) => {
    const key = await importSigningKey(read(invocation.parameters.file ?? ''));
    return withKeys(invocation, async (dependencies) => {
      tell(invocation, await introduce(dependencies, key));
      return 0;
    });
  },
});

const STANDARD_INPUT = 0;

function read(file: string): string {
  try {
    return readFileSync(file === '-' ? STANDARD_INPUT : file, 'utf8');
  } catch (cause) {
    throw new StartError(`${JSON.stringify(file)} can't be read (${(cause as NodeJS.ErrnoException).code})`, { cause });
  }
}

/** Says when the next key signs, and how long the keys before it stay published. */
function tell({ stdout }: Invocation, { ring, now, successor }: KeyChange): void {
  const entry = ring.find(({ key }) => key.kid === successor.kid);
  if (!entry) return;
  stdout.write(`${named(successor)} ${entry.signsFrom > now ? `signs from ${timeOf(entry.signsFrom)}` : 'signs'}.\n`);
  for (const { key, publishedUntil } of ring) {
    if (publishedUntil !== undefined) stdout.write(`${named(key)} stays published until ${timeOf(publishedUntil)}.\n`);
  }
}

const named = ({ kid, alg }: SigningKey): string => `${kid} (${alg})`;

const warnOfCaches = ({ stderr }: Invocation, seconds: number): void => {
  stderr.write(
    `Running servers apply this within ${seconds} s. Resource servers that cache the keys and do not look up unknown ones refuse new tokens until they read the keys again.\n`,
  );
};
