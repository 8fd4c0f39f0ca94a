/**
 * Owns which public keys of a client the engine gets to see (RFC 7517 §5, RFC 7523 §3): it would refuse a set for one member, and
 * a `kid` that only one of key and assertion has.
 */
import { fittingKeys, isPrivate, type PublicKey, readKeySet } from '@mcp-oauth/shared/network/key-set';
import type Provider from 'oidc-provider';

/**
 * The set without members that are no usable keys. One that tells a secret stays as it is where a client registers it: the
 * engine refuses it, and the client has to know.
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

/** Selects a client's keys as all other keys are selected: by `kid` where there is one, and at most ten. */
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
