/**
 * Owns mutations of the code for sessions. The model must find each of them: a fault that it misses is one that it does
 * not disprove.
 */
import type { EventLog, SessionStore } from '../../../src/sessions/ports.ts';
import { Streams } from '../../../src/sessions/streams.ts';
import type { Weather } from './moves.ts';
import type { Records } from './records.ts';
import { ALICE, type Defect } from './world.ts';

const log = (change: (log: EventLog) => Partial<EventLog>): Defect => ({
  records: (records) => ({ ...records, log: { ...records.log, ...change(records.log) } }),
});

const store = (change: (store: SessionStore) => Partial<SessionStore>): Defect => ({
  records: (records) => ({ ...records, store: { ...records.store, ...change(records.store) } }),
});

const bus = (change: (bus: ReturnType<Records['busOf']>) => Partial<ReturnType<Records['busOf']>>): Defect => ({
  records: (records) => ({
    ...records,
    busOf: (replica) => {
      const whole = records.busOf(replica);
      return { ...whole, ...change(whole) };
    },
  }),
});

const streams = (Broken: typeof Streams): Defect => ({ streams: (dependencies) => new Broken(dependencies) });

let count = 0;

export const DEFECTS: Readonly<Record<string, Defect & { readonly weather?: Weather }>> = {
  'a log that writes again what is tried again': log(({ append }) => ({
    append: (name, event) => {
      count += 1;
      return append(name, { ...event, sequence: count });
    },
  })),
  'a log that knows one number for all producers': log(({ append }) => ({
    append: (name, event) => append(name, { ...event, producer: 'everybody' }),
  })),
  'a log that says of each event that it is the next one': log(({ append, read }) => ({
    append: async (name, event) => {
      const appended = await append(name, event);
      const written = appended && 'reader' in appended && event.after !== undefined;
      return written ? { ...appended, id: (await read(name, undefined, 1_000)).at(-1)?.id } : appended;
    },
  })),
  'a log that takes events after the end of the session': { exists: () => true },
  'a log that is read with the event that was read last': log(({ read }) => ({
    read: (name, after, limit) => {
      const [number = '0'] = after?.split('-') ?? [];
      return read(name, after === undefined ? undefined : `${Math.max(0, Number(number) - 1)}-0`, limit);
    },
  })),
  'a log that is read from its end': log(({ read }) => ({
    read: async (name, after, limit) => (await read(name, after, limit)).toReversed(),
  })),
  'a log that drops the last of several events that are read': log(({ read }) => ({
    read: async (name, after, limit) => {
      const events = await read(name, after, limit);
      return events.length > 1 ? events.slice(0, -1) : events;
    },
  })),
  'a log that does not know how far its reader was': log(({ renew }) => ({
    renew: (name, reader, { changes }) => renew(name, reader, changes === undefined ? {} : { changes }),
  })),
  'a log that notes how far a reader is before it is': log(({ take, read }) => ({
    take: async (name, reader) => {
      const taken = await take(name, reader);
      const cursor = (await read(name, undefined, 1_000)).at(-1)?.id;
      return taken && { ...taken, cursor };
    },
  })),
  'a claim that its previous owner keeps': log(({ renew }) => ({
    renew: async (...args) => (await renew(...args)) || true,
  })),
  'a claim that does not say whose it was': log(({ take }) => ({
    take: async (name, reader) => {
      const taken = await take(name, reader);
      return taken && { ...taken, previous: undefined };
    },
  })),
  'a claim that anybody gives back': log(({ release, state }) => ({
    release: async (name, reader, progress) => release(name, (await state(name))?.reader ?? reader, progress),
  })),
  'a reader that does not look again for what came while it read': streams(
    class extends Streams {
      readonly #reading = new Set<string>();
      override async wake(name: Parameters<Streams['wake']>[0]): Promise<void> {
        const key = `${name.session} ${name.stream}`;
        if (this.#reading.has(key)) return;
        this.#reading.add(key);
        await super.wake(name);
        this.#reading.delete(key);
      }
    },
  ),
  'a tick that does not look at the log': {
    ...streams(
      class extends Streams {
        override async renew(attachment: Parameters<Streams['renew']>[0]): Promise<void> {
          await this.keep(attachment);
        }
      },
    ),
    weather: 'unsteady',
  },
  'a replica that is told of a new reader and reads on': streams(
    class extends Streams {
      override taken(): void {}
    },
  ),
  'a replica that does not end what is open of a session that is over': streams(
    class extends Streams {
      override end(): void {}
    },
  ),
  'lost calls that no replica answers': bus(() => ({ isAlive: async () => true })),
  'calls of a living replica that another one answers': bus(() => ({ isAlive: async () => false })),
  'a bus that hears an answer from the dead': bus(({ send }) => ({
    send: async (...args) => (await send(...args)) || true,
  })),
  'a bus that hears nothing from the living': bus(({ send }) => ({
    send: async (...args) => (await send(...args)) && false,
  })),
  'a bus that brings no wake-ups': bus(({ send }) => ({
    send: async (to, message) => message.kind === 'wake' || send(to, message),
  })),
  'a bus that brings no answers of clients': bus(({ send }) => ({
    send: async (to, message) => message.kind === 'response' || send(to, message),
  })),
  'a bus that says nothing to all': bus(() => ({ broadcast: async () => {} })),
  'a log of changes that has missed nothing': {
    records: (records) => {
      const since: typeof records.changes.since = async (seen) => ({
        ...(await records.changes.since(seen)),
        changes: [],
      });
      return { ...records, changes: { ...records.changes, since } };
    },
  },
  'a log that forgets what its reader has been told': log(({ take }) => ({
    take: async (name, reader) => {
      const taken = await take(name, reader);
      return taken && { ...taken, changes: undefined };
    },
  })),
  'a log that takes what its reader has been told': log(({ append }) => ({
    append: (name, { changes: _, ...event }) => append(name, event),
  })),
  'a store that ignores the owner': { host: (host) => ({ ...host, find: (id) => host.find(id, ALICE) }) },
  'a store that keeps what is ended': store(() => ({ delete: async () => true })),
  'a copy that outlives its session': { host: (host) => ({ ...host, forget: () => {} }) },
};
