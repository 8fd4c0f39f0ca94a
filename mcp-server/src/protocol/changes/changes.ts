/**
 * Owns the port through which changes of what this server offers reach subscribed clients on every replica (MCP
 * list_changed and resources/updated notifications).
 */

export type Change =
  | { readonly kind: 'tools' | 'prompts' | 'resources' }
  /** The content of one resource has changed. */
  | { readonly kind: 'resource'; readonly uri: string };

export interface Changes {
  announce(change: Change): Promise<void>;
  /** @returns a function that ends the subscription */
  subscribe(listener: (change: Change) => void): () => void;
}

const RESOURCE = 'resource:';

/** The name of a change in messages between replicas. */
export const nameOf = (change: Change): string =>
  change.kind === 'resource' ? `${RESOURCE}${change.uri}` : change.kind;

export const parseChange = (name: string): Change =>
  name.startsWith(RESOURCE)
    ? { kind: 'resource', uri: name.slice(RESOURCE.length) }
    : { kind: name as 'tools' | 'prompts' | 'resources' };

/** An implementation for a single replica. */
export function createChanges(): Changes {
  const listeners = new Set<(change: Change) => void>();
  return {
    announce: async (change) => {
      for (const listener of listeners) listener(change);
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
