/** Owns the setting type of REDIS_URL: one URL for a server, for Sentinel or for a Cluster. */
import { z } from 'zod';

export type RedisTarget = {
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly username?: string;
  readonly password?: string;
  readonly tls: boolean;
} & (
  | { readonly kind: 'server'; readonly database: number }
  | { readonly kind: 'sentinel'; readonly master: string; readonly database: number }
  | { readonly kind: 'cluster' }
);

const FORM = /^(rediss?)(-sentinel|-cluster)?:\/\/(?:([^@/]*)@)?([^/?]+)(?:\/([^?]*))?$/;
const EXPECTED =
  'expected redis://[user:password@]host:port[/database], redis-sentinel://host:port,…/master[/database] or redis-cluster://host:port,… (rediss… for TLS)';

/** The setting type of REDIS_URL. */
export const redisUrl = (): z.ZodType<RedisTarget, string> =>
  z.string().transform((text, context): RedisTarget => {
    const target = parse(text.trim());
    if (target) return target;
    context.addIssue({ code: 'custom', message: EXPECTED });
    return z.NEVER;
  });

function parse(text: string): RedisTarget | undefined {
  const [, scheme, form = '', user = '', hosts = '', path = ''] = FORM.exec(text) ?? [];
  const nodes = hosts.split(',').map((host) => nodeOf(host, form === '-sentinel' ? 26_379 : 6_379));
  const [username = '', password = ''] = user.split(/:(.*)/s).map(decoded);
  const common = {
    nodes: nodes.filter((node) => node !== undefined),
    tls: scheme === 'rediss',
    ...(username && { username }),
    ...(password && { password }),
  };
  if (!scheme || common.nodes.length < nodes.length) return undefined;
  if (form === '-cluster') return path ? undefined : { kind: 'cluster', ...common };
  const [first = '', second = ''] = path.split('/');
  const [master, index] = form === '-sentinel' ? [first, second] : ['', first];
  if (!/^\d*$/.test(index) || (form === '-sentinel') !== (master !== '')) return undefined;
  if (form === '-sentinel') return { kind: 'sentinel', master, database: Number(index), ...common };
  return nodes.length === 1 ? { kind: 'server', database: Number(index), ...common } : undefined;
}

/** Returns the text unchanged if it is not encoded: a password may contain a percent sign. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function nodeOf(text: string, defaultPort: number) {
  const [, host, port = String(defaultPort)] = /^(\[[0-9a-f:]+\]|[\w.-]+)(?::(\d{1,5}))?$/i.exec(text) ?? [];
  return host && Number(port) < 65_536 ? { host: host.replace(/^\[|\]$/g, ''), port: Number(port) } : undefined;
}
