/** Owns the settings of the signing keys, and the rules that keep every token verifiable until it expires. */
import { type Problem, setting, type Values } from '@mcp-oauth/shared/settings/config';
import { duration, durationOrOff, oneOf } from '@mcp-oauth/shared/settings/types';
import type { KeyPolicy } from './keyring.ts';
import { ALGORITHMS } from './signing-key.ts';

const DAY = 86_400;

export const keySettings = {
  signingAlgorithm: setting({
    env: 'SIGNING_ALGORITHM',
    doc: 'Algorithm that signs tokens: ES256, EdDSA or RS256. A change creates a new key; the old key signs until the new one has been published for KEY_LEAD.',
    type: oneOf(...ALGORITHMS),
    default: ALGORITHMS[0],
  }),
  keyRotation: setting({
    env: 'KEY_ROTATION',
    doc: 'How long a key signs before the next one takes over. `off`: until `keys rotate`.',
    type: durationOrOff(),
    default: '90d',
  }),
  keyLead: setting({
    env: 'KEY_LEAD',
    doc: 'How long a key is published before it signs, and after its last token has expired. This gives every cache time to read it and allows for clock differences.',
    type: duration(1, 30 * DAY),
    default: '15m',
  }),
  keyPoll: setting({
    env: 'KEY_POLL',
    doc: 'How often each process checks whether the keys have changed.',
    type: duration(1, 3_600),
    default: '2s',
  }),
  documentLifetime: setting({
    env: 'DOCUMENT_LIFETIME',
    doc: 'How long others may cache the metadata and the public keys (`Cache-Control: max-age`).',
    type: duration(1, DAY),
    default: '5m',
  }),
};

type KeySettings = Values<typeof keySettings>;

interface TokenSettings {
  readonly accessTokenLifetime: number;
  readonly accessTokenLifetimeConfidential?: number | undefined;
  readonly accessTokenLifetimeMachine?: number | undefined;
  readonly resources: readonly { readonly accessTokenLifetime?: number | undefined }[];
}

/** ID tokens never live longer than access tokens. */
const longestLifetime = ({ accessTokenLifetime, resources, ...of }: TokenSettings): number =>
  Math.max(
    accessTokenLifetime,
    of.accessTokenLifetimeConfidential ?? 0,
    of.accessTokenLifetimeMachine ?? 0,
    ...resources.map((resource) => resource.accessTokenLifetime ?? 0),
  );

export const keyPolicyOf = (settings: KeySettings & TokenSettings): KeyPolicy => ({
  algorithm: settings.signingAlgorithm,
  rotation: settings.keyRotation,
  lead: settings.keyLead,
  poll: settings.keyPoll,
  tokenLifetime: longestLifetime(settings),
});

export function judgeKeys(settings: Partial<KeySettings & TokenSettings>): readonly Problem[] {
  const { keyRotation, keyLead, keyPoll, documentLifetime, accessTokenLifetime, resources } = settings;
  if (keyRotation === undefined || !keyLead || !keyPoll || !documentLifetime) return [];
  const problems: Problem[] = [];
  const least = documentLifetime + 2 * keyPoll;
  if (keyLead < least) {
    problems.push({ env: 'KEY_LEAD', message: `must be ${least}s or more: DOCUMENT_LIFETIME plus twice KEY_POLL` });
  }
  if (keyRotation === 0 || !accessTokenLifetime || !resources) return problems;
  // Otherwise keys would be added faster than they expire.
  const shortest = keyLead + longestLifetime({ ...settings, accessTokenLifetime, resources });
  if (keyRotation < shortest) {
    const message = `must be ${shortest}s or more: KEY_LEAD plus the longest lifetime of an access token`;
    problems.push({ env: 'KEY_ROTATION', message });
  }
  return problems;
}
