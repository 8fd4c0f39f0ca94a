/**
 * Owns how tokens, codes and grants become objects of the engine, and records again. The engine does both by property descriptors, and
 * builds the name of an event for each, which costs 7 % of a refresh. It replaces the constructor that `provider.BaseToken` of
 * oidc-provider 9.13.3 inherits, and its `getValueAndPayload` and `emit`.
 */
import { seconds, systemClock } from '@mcp-oauth/shared/clock';
import type Provider from 'oidc-provider';

type Members = Record<string, unknown>;

interface Stored extends Members {
  readonly kind: string;
  readonly jti: string;
  readonly iat?: number;
  readonly exp?: number;
  /** Seconds. */
  readonly expiration?: number;
}

interface Model {
  readonly name: string;
  readonly IN_PAYLOAD: readonly string[];
}

export function shortenModels(provider: Provider): void {
  const token = provider.BaseToken as unknown as { prototype: Members };
  const base = Object.getPrototypeOf(token);
  const stored = new Map<unknown, ReadonlySet<string>>();
  const events = new Map<string, string>();

  /** The members of a model that are stored. They are complete when the first object is made. */
  const membersOf = (model: Model): ReadonlySet<string> => {
    const known = stored.get(model) ?? new Set(model.IN_PAYLOAD);
    stored.set(model, known);
    return known;
  };

  class BaseModel {
    constructor(input: Members = {}) {
      const model = new.target as unknown as Model;
      const made = this as Members;
      const members = membersOf(model);
      for (const name of Object.keys(input)) {
        if (name !== 'jti' && name !== 'kind' && members.has(name)) made[name] = input[name];
      }
      if (input.kind && input.kind !== model.name) throw new TypeError('kind mismatch');
      made.kind = model.name;
      made.jti = input.jti;
    }
  }
  // Static members stay those of the engine.
  Object.setPrototypeOf(BaseModel, base);
  Object.setPrototypeOf(token, BaseModel);

  Object.assign(token.prototype, {
    async getValueAndPayload(this: Stored) {
      // The clock of the engine, which judges these times.
      const now = seconds(systemClock);
      const { iat = now, exp = now + Number(this.expiration) } = this;
      const members = membersOf(this.constructor as unknown as Model);
      const payload: Members = { iat, ...(exp && { exp }) };
      for (const name of Object.keys(this)) {
        if (members.has(name) && this[name] !== undefined) payload[name] = this[name];
      }
      return { value: this.jti, payload };
    },
    emit(this: Stored, event: string): void {
      const key = `${this.kind} ${event}`;
      let name = events.get(key);
      if (name === undefined) {
        name = `${this.kind.replace(/[A-Z][a-z]/g, (start) => `_${start}`.toLowerCase()).replace(/^_/, '')}.${event}`;
        events.set(key, name);
      }
      provider.emit(name as never, this as never);
    },
  });
}
