/**
 * Owns the check of a token as if its signature were right: the verifier of this server, with a key of its own in place of the keys of
 * the issuers. It is how all faults are found and not only the first, and how a token is checked offline.
 */
import type { Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import {
  type CompactJWSHeaderParameters,
  CompactSign,
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JWK,
} from 'jose';
import { metadataUrls } from '../../../authorization/issuer/issuer-metadata.ts';
import type { Principal } from '../../../authorization/principal.ts';
import { TokenError } from '../../../authorization/token-error.ts';
import type { Inspection } from '../inspection.ts';

/** What a token says. */
export interface DecodedToken {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

export interface StandIn {
  /** @throws TokenError */
  verify(decoded: DecodedToken): Promise<Principal>;
  /** Of a whole token: finds what is refused before the signature, which is always refused. @throws TokenError */
  verifyForm(token: string): Promise<Principal>;
}

interface KeyPair {
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

export function createStandIn({ config, authorization }: Inspection): StandIn {
  const accepted = new Set(config.issuers.flatMap(({ rules }) => rules.flatMap(({ algorithms }) => algorithms)));
  const pairs = new Map<string, KeyPair>();
  const pairFor = async (alg: string): Promise<KeyPair> => {
    const known = pairs.get(alg);
    if (known) return known;
    const { privateKey, publicKey } = await generateKeyPair(alg);
    const pair = { privateKey, jwk: await exportJWK(publicKey) };
    pairs.set(alg, pair);
    return pair;
  };
  return {
    verify: async (decoded) => {
      const { alg } = decoded.header;
      // Refused before the signature is checked.
      if (typeof alg !== 'string' || !accepted.has(alg)) return authorization(answers([])).verify(unsigned(decoded));
      const { privateKey, jwk } = await pairFor(alg);
      return authorization(answers([jwk])).verify(await signed(decoded, privateKey));
    },
    verifyForm: async (token) => authorization(answers([])).verify(token),
  };

  /** The documents of all issuers, with these keys. */
  function answers(keys: readonly JWK[]): Fetch {
    return async (input) => {
      const url = input instanceof Request ? input.url : String(input);
      const issuer = config.issuers.find((one) => metadataUrls(one.internalUrl ?? one.url).includes(url));
      if (!issuer) return Response.json({ keys });
      return Response.json({ issuer: issuer.metadataIssuer, jwks_uri: new URL('/stand-in-keys', issuer.url).href });
    };
  }
}

function unsigned({ header, claims }: DecodedToken): string {
  try {
    const texts = [JSON.stringify(header), JSON.stringify(claims), '-'];
    return texts.map((text) => Buffer.from(text).toString('base64url')).join('.');
  } catch (cause) {
    // Lists inside lists without end, which JavaScript reads but can't write.
    throw new TokenError('malformed', { found: (cause as Error).message }, cause);
  }
}

async function signed({ header, claims }: DecodedToken, key: CryptoKey): Promise<string> {
  const { crit } = header;
  // Whether an extension is known is for the verifier to decide (RFC 7515 §4.1.11).
  const critical = Array.isArray(crit) ? { crit: Object.fromEntries(crit.map((name) => [name, true])) } : {};
  try {
    return await new CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader(header as unknown as CompactJWSHeaderParameters)
      .sign(key, critical);
  } catch (cause) {
    throw new TokenError('malformed', { found: (cause as Error).message }, cause);
  }
}
