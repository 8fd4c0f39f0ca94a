/**
 * Owns the cache of verified tokens: verifying a signature costs a hundred times as much as a lookup. Entries have
 * the SHA-256 of the token as their key, so that a heap dump contains no token.
 */
import { hash } from 'node:crypto';
import type { Clock } from '@mcp-oauth/shared/clock';
import { AgedMap } from '@mcp-oauth/shared/collections/bounded-map';
import { TransientMap } from '@mcp-oauth/shared/collections/transient';
import type { Caller, VerifyToken } from './access-token.ts';
import type { KeySource } from './issuer/key-source.ts';
import { sizeOfClaims } from './person-claims.ts';
import type { Principal } from './principal.ts';

export interface TokenCacheOptions {
  readonly verify: VerifyToken;
  readonly keys: Pick<KeySource, 'revision'>;
  readonly clock: Clock;
  /** Maximum seconds of an entry, which also ends with its token. */
  readonly maxAge?: number;
  /** Maximum number of entries; those that were not used recently are removed. */
  readonly capacity?: number;
  /** Maximum bytes of all entries: a token may have hundreds of scopes or groups. */
  readonly capacityBytes?: number;
}

interface Entry {
  readonly principal: Principal;
  /** Milliseconds since the epoch. */
  readonly until: number;
  readonly size: number;
  /** Whether it was used since it was last considered for removal. */
  used: boolean;
}

const MAX_AGE = 60;

const MAX_ENTRIES = 10_000;
const MAX_BYTES = 32 * 1024 * 1024;

/** Bytes of an entry besides its texts, and of a scope in its set. */
const FRAME = 400;
const SCOPE_FRAME = 64;

/** Approximate bytes of a principal, with two for each character. */
function sizeOf({ subject, clientId, scopes, claims, status, actors = [] }: Principal): number {
  const texts = subject.length + (clientId?.length ?? 0) + (status?.uri.length ?? 0) + actors.join('').length;
  let size = FRAME + 2 * texts + sizeOfClaims(claims);
  for (const scope of scopes) size += SCOPE_FRAME + 2 * scope.length;
  return size;
}

class Entries {
  readonly #byId = new AgedMap<string, Entry>();
  readonly #clock: Clock;
  readonly #maxAge: number;
  readonly #capacity: number;
  readonly #capacityBytes: number;
  #bytes = 0;

  constructor({ clock, maxAge = MAX_AGE, capacity = MAX_ENTRIES, capacityBytes = MAX_BYTES }: TokenCacheOptions) {
    this.#clock = clock;
    this.#maxAge = maxAge * 1000;
    this.#capacity = capacity;
    this.#capacityBytes = capacityBytes;
  }

  find(id: string): Principal | undefined {
    const entry = this.#byId.get(id);
    if (!entry) return undefined;
    if (entry.until <= this.#clock.now()) {
      this.#remove(id, entry);
      return undefined;
    }
    entry.used = true;
    return entry.principal;
  }

  store(id: string, principal: Principal): void {
    const now = this.#clock.now();
    const until = Math.min(principal.expiresAt * 1000, now + this.#maxAge);
    if (until <= now) return;
    const size = sizeOf(principal);
    const former = this.#byId.get(id);
    if (former) this.#remove(id, former);
    this.#byId.set(id, { principal, until, size, used: false });
    this.#bytes += size;
    while (this.#byId.size > this.#capacity || this.#bytes > this.#capacityBytes) this.#makeRoom();
  }

  /** A used entry is moved to the end when it is considered for removal, so that a hit moves nothing. */
  #makeRoom(): void {
    for (let oldest = this.#byId.takeOldest(); oldest; oldest = this.#byId.takeOldest()) {
      const [id, entry] = oldest;
      if (!entry.used) {
        this.#bytes -= entry.size;
        return;
      }
      entry.used = false;
      this.#byId.set(id, entry);
    }
  }

  #remove(id: string, { size }: Entry): void {
    this.#byId.delete(id);
    this.#bytes -= size;
  }

  clear(): void {
    this.#byId.clear();
    this.#bytes = 0;
  }
}

/**
 * The same check as `verify` with a cache. Failures are not cached, and concurrent requests with the same token
 * verify it once.
 */
export function createTokenCache(options: TokenCacheOptions): VerifyToken {
  const { verify, keys } = options;
  const entries = new Entries(options);
  const running = new TransientMap<string, Promise<Principal>>();
  let revision = keys.revision();

  /** Removes all entries when a key was withdrawn, as the key may have signed their tokens. */
  const forgetWithdrawn = (): void => {
    const current = keys.revision();
    if (current === revision) return;
    revision = current;
    entries.clear();
  };
  const check = async (id: string, token: string, caller: Caller | undefined): Promise<Principal> => {
    try {
      const before = revision;
      const principal = await verify(token, caller);
      forgetWithdrawn();
      if (before === revision) entries.store(id, principal);
      return principal;
    } finally {
      running.delete(id);
    }
  };

  return (token, caller) => {
    forgetWithdrawn();
    const id = hash('sha256', token, 'base64');
    const found = entries.find(id) ?? running.get(id);
    if (found) return found;
    const checking = check(id, token, caller);
    running.set(id, checking);
    return checking;
  };
}
