/**
 * Owns the environment of a container by the rules of the kubelet: `$(NAME)` expands only what precedes it in `env`.
 */
import type { Container } from 'kubernetes-types/core/v1.d.ts';
import { type Manifest, ofKind } from './manifest.ts';

/** @throws Error where the pod would not start: a ConfigMap or a key that does not exist */
export function environmentOf(
  { env = [], envFrom = [] }: Container,
  manifests: readonly Manifest[],
): Readonly<Record<string, string>> {
  const configMap = (name = '') => {
    const found = ofKind(manifests, 'ConfigMap').find(({ metadata }) => metadata.name === name);
    if (!found) throw new Error(`there is no ConfigMap ${name}`);
    return found.data ?? {};
  };
  const shared = Object.assign({}, ...envFrom.map(({ configMapRef }) => configMap(configMapRef?.name)));
  const own: Record<string, string> = {};
  for (const { name, value, valueFrom } of env) {
    const { key = '', name: source } = valueFrom?.configMapKeyRef ?? {};
    const text = valueFrom ? configMap(source)[key] : value;
    if (text === undefined) throw new Error(`there is no key ${key} in ConfigMap ${source}`);
    own[name] = text.replace(/\$\((\w+)\)/g, (whole, known) => own[known] ?? whole);
  }
  return { ...shared, ...own };
}
