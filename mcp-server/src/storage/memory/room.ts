/** Owns how many bytes of events one process keeps, for a session, for a person and in all, and what goes to make room. */
import { LEAST_ROOM, type LogLimits, type NoRoom } from '../../sessions/ports.ts';

/** What a session keeps. */
export interface Tenant {
  readonly person: string;
  bytes: number;
  /** Drops what nobody reads, the oldest first, until no more than so many bytes are left. */
  shed(most: number): void;
}

interface Person {
  readonly tenants: Set<Tenant>;
  bytes: number;
}

export class Room {
  readonly #limits: LogLimits;
  readonly #people = new Map<string, Person>();
  #bytes = 0;

  constructor(limits: LogLimits) {
    this.#limits = limits;
  }

  enter(tenant: Tenant): void {
    const person = this.#people.get(tenant.person) ?? { tenants: new Set(), bytes: 0 };
    this.#people.set(tenant.person, person);
    person.tenants.add(tenant);
  }

  leave(tenant: Tenant): void {
    this.take(tenant, -tenant.bytes);
    const person = this.#people.get(tenant.person);
    person?.tenants.delete(tenant);
    if (person?.tenants.size === 0) this.#people.delete(tenant.person);
  }

  /** @param bytes negative: given back */
  take(tenant: Tenant, bytes: number): void {
    const person = this.#people.get(tenant.person);
    if (person) person.bytes += bytes;
    tenant.bytes += bytes;
    this.#bytes += bytes;
  }

  /** Makes room for so many bytes more. @returns whose budget is used up, when there is none */
  make(tenant: Tenant, bytes: number): NoRoom | undefined {
    const { sessionBytes, personBytes, totalBytes } = this.#limits;
    if (tenant.bytes + bytes > sessionBytes) tenant.shed(Math.max(0, sessionBytes - bytes));
    if (tenant.bytes + bytes > sessionBytes) return 'session';
    if (this.#bytesOf(tenant.person) + bytes > personBytes) this.#shed(tenant.person, personBytes - bytes);
    const least = tenant.bytes + bytes <= LEAST_ROOM;
    if (!least && this.#bytesOf(tenant.person) + bytes > personBytes) return 'principal';
    if (this.#bytes + bytes > totalBytes) this.#shedAll(totalBytes - bytes);
    return !least && this.#bytes + bytes > totalBytes ? 'server' : undefined;
  }

  #bytesOf(person: string): number {
    return this.#people.get(person)?.bytes ?? 0;
  }

  /** Of the session with most first. */
  #shed(person: string, most: number): void {
    const theirs = [...(this.#people.get(person)?.tenants ?? [])].sort((a, b) => b.bytes - a.bytes);
    for (const tenant of theirs) {
      const tooMany = this.#bytesOf(person) - most;
      if (tooMany <= 0) return;
      tenant.shed(Math.max(0, tenant.bytes - tooMany));
    }
  }

  /** Of the person with most first. */
  #shedAll(most: number): void {
    const people = [...this.#people].sort(([, a], [, b]) => b.bytes - a.bytes);
    for (const [person, { bytes }] of people) {
      const tooMany = this.#bytes - most;
      if (tooMany <= 0) return;
      this.#shed(person, Math.max(0, bytes - tooMany));
    }
  }
}
