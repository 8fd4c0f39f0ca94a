/** Owns the entry of a command that changes something: who ran it, which command, and what it named. Options may be secrets. */
import { randomBytes } from 'node:crypto';
import { userInfo } from 'node:os';
import type { Command, CommandGroup, Invocation } from '../../cli/command.ts';
import { systemClock } from '../../clock.ts';
import { reasonOf } from '../../documents/remote-document.ts';
import { StartError } from '../../errors.ts';
import { createLogger } from '../../logger.ts';
import { whenReady } from '../../redis/ready.ts';
import { openRedis } from '../../redis.ts';
import type { Output } from '../../service.ts';
import type { Environment } from '../../settings/config.ts';
import type { AuditEntry } from '../entry.ts';
import { type OpenAuditOptions, openAudit } from '../open.ts';
import type { ReaderSettings } from '../reading/opened.ts';

type Service = Pick<OpenAuditOptions, 'service' | 'version'>;
type WriterSettings = ReaderSettings & OpenAuditOptions['settings'];
type Read = (env: Environment) => WriterSettings | Promise<WriterSettings>;

/**
 * @param changes the commands that change something, as they are typed: `keys rotate`
 * @returns the same commands, which write an entry once they have done their work
 */
export function audited(root: CommandGroup, changes: ReadonlySet<string>, service: Service, read: Read): CommandGroup {
  const wrap = (given: Command | CommandGroup, path: readonly string[]): Command | CommandGroup => {
    const here = [...path, given.name];
    if ('commands' in given) return { ...given, commands: given.commands.map((one) => wrap(one, here)) };
    const name = here.slice(1).join(' ');
    if (!changes.has(name)) return given;
    return {
      ...given,
      run: async (invocation) => {
        const status = await given.run(invocation);
        if (status === 0) await note(name, invocation, service, read);
        return status;
      },
    };
  };
  return wrap(root, []) as CommandGroup;
}

async function note(command: string, { env, parameters, rest, stderr }: Invocation, service: Service, read: Read) {
  const target = [...Object.values(parameters), ...rest].join(' ') || undefined;
  const entry = { event: 'admin.acted', outcome: 'ok', details: { command, target, user: userName() } } as const;
  await writeEntries([entry], { settings: await read(env), service, stderr });
}

export interface WriteOptions {
  readonly settings: WriterSettings;
  readonly service: Service;
  readonly stderr: Output;
}

/** Writes the entries of a command, in a chain of its own. Never fails: the work of the command is done. */
export async function writeEntries(
  entries: readonly AuditEntry[],
  { settings, service, stderr }: WriteOptions,
): Promise<void> {
  if (settings.audit === 'off' || entries.length === 0) return;
  const log = createLogger(service.service, 'silent');
  const target = settings.audit === 'redis' ? settings.redisTarget : undefined;
  const redis = target && openRedis({ target, name: `${service.service}-audit`, caFile: settings.redisCaFile, log });
  try {
    if (redis) await whenReady(redis, PATIENCE);
    const newId = () => randomBytes(12).toString('base64url');
    // Standard output is for the command.
    const output = {
      write: (text: string, done: () => void) => {
        stderr.write(text);
        done();
      },
    };
    const trail = await openAudit({ ...service, settings, redis, newId, clock: systemClock, log, output });
    for (const entry of entries) trail?.audit(entry);
    await trail?.close();
    if (trail && trail.counts.ok < entries.length + OWN) throw new StartError('it took no entries');
  } catch (error) {
    stderr.write(`The audit entry of this command could not be written: ${reasonOf(error)}\n`);
  } finally {
    redis?.disconnect();
  }
}

/** Milliseconds that the command waits for Redis. */
const PATIENCE = 5_000;
/** The first and the last of a chain. */
const OWN = 2;

/** In a container the user may have no name. */
export function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}
