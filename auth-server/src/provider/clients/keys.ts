/**
 * Owns which public keys of a client are passed to the engine (RFC 7517 §5, RFC 7523 §3): the engine would refuse a whole set for
 * one invalid member, and a `kid` that only the key or only the assertion has.
 */
import { fittingKeys, isPrivate, type PublicKey, readKeySet } from '@mcp-oauth/shared/documents/key-set';
import type Provider from 'oidc-provider';

/**
 * The set without members that are not usable keys. A set with a secret key is not filtered at registration: the engine refuses
 * it, so that the client learns about the mistake.
 */
export function usableKeys(jwks: unknown): unknown {
  const keys = readKeySet(jwks);
  return keys ? { keys } : jwks;
}

export const tellsSecret = (jwks: unknown): boolean => {
  const { keys } = (jwks ?? {}) as { readonly keys?: unknown };
  return Array.isArray(keys) && keys.some((key) => isPrivate(key) || (key as { kty?: unknown } | null)?.kty === 'oct');
};

interface KeyStore extends Iterable<PublicKey> {
  selectForVerify(header: { readonly alg: string; readonly kid?: unknown }): readonly PublicKey[];
}

interface Model {
  find(id: string): Promise<object | undefined>;
}

/** Selects a client's keys like all other keys: by `kid` if there is one, and at most ten. */
export function chooseKeys(provider: Provider): void {
  const model = provider.Client as unknown as Model;
  const find = model.find.bind(model);
  model.find = async (id) => {
    const client = await find(id);
    const keys: KeyStore | undefined = client && Reflect.get(client, 'asymmetricKeyStore');
    if (keys) keys.selectForVerify = (header) => fittingKeys([...keys], header);
    return client;
  };
}
