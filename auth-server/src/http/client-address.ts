/**
 * Owns whose request it is for the limits: the address of the connection, or what a proxy that is trusted says of it (RFC 7239
 * §5.2 in the form of X-Forwarded-For). Anybody may write that header, so it is read from the right, hop by trusted hop.
 */
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import type { RequestState } from '@mcp-oauth/shared/http/request-log';
import type { Middleware } from 'koa';
import { z } from 'zod';

const NAMED: Readonly<Record<string, readonly string[]>> = {
  none: [],
  loopback: ['127.0.0.0/8', '::1/128'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};

/** The setting type of TRUSTED_PROXIES: addresses, CIDR ranges, and the words `loopback` and `private`. */
export const trustedProxies = (): z.ZodType<BlockList, string> =>
  z.string().transform((text, context) => {
    const list = new BlockList();
    for (const entry of text.split(/[\s,]+/).filter(Boolean)) {
      if ((NAMED[entry] ?? [entry]).every((range) => add(list, range))) continue;
      context.addIssue({ code: 'custom', message: `expected addresses, ranges, loopback or private, not ${entry}` });
    }
    return list;
  });

function add(list: BlockList, range: string): boolean {
  const [address = '', bits] = range.split('/');
  const widest = { 4: 32, 6: 128 }[isIP(address)];
  if (widest === undefined || (bits !== undefined && !/^\d{1,3}$/.test(bits)) || Number(bits ?? 0) > widest)
    return false;
  list.addSubnet(address, Number(bits ?? widest), familyOf(address));
  return true;
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIPv6(address) ? 'ipv6' : 'ipv4');

/** `::ffff:10.0.0.1`, as a socket that takes both families says it, is 10.0.0.1. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '');

/** What a limit counts: one person may have a whole IPv6 network (RFC 6177), so its /64 is one caller. */
function countable(address: string): string {
  if (!address.includes(':') || !isIPv6(address)) return address;
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (part: string | undefined) => (part ? part.split(':') : []);
  const zeros = 8 - groups(head).length - groups(tail).length;
  return [...groups(head), ...Array<string>(zeros).fill('0'), ...groups(tail)].slice(0, 4).join(':');
}

export function createClientAddress(trusted: BlockList): (req: IncomingMessage) => string {
  const believesAnybody = trusted.rules.length > 0;
  return (req) => {
    let address = plain(req.socket.remoteAddress ?? '');
    if (!believesAnybody) return countable(address);
    const hops = String(req.headers['x-forwarded-for'] ?? '').split(',');
    while (isIP(address) && trusted.check(address, familyOf(address))) {
      const before = plain(hops.pop()?.trim() ?? '');
      if (!isIP(before)) break;
      address = before;
    }
    return countable(address);
  };
}

/** Reads the address before `publicHost` takes the header away from everybody else. */
export function rememberClientAddress(trusted: BlockList): Middleware<RequestState & { clientAddress: string }> {
  const addressOf = createClientAddress(trusted);
  let told = false;
  return (ctx, next) => {
    ctx.state.clientAddress = addressOf(ctx.req);
    if (!told && ctx.req.headers['x-forwarded-for'] !== undefined) {
      const proxy = plain(ctx.req.socket.remoteAddress ?? '');
      told = isNear(proxy) && !trusted.check(proxy, familyOf(proxy));
      if (told) ctx.state.log.warn({ proxy }, 'TRUSTED_PROXIES does not name this proxy: its callers share one limit');
    }
    return next();
  };
}

/** Where an operator's own proxy is; from further away anybody may write what they want. */
const NEAR = trustedProxies().parse('loopback,private');

const isNear = (address: string): boolean => isIP(address) > 0 && NEAR.check(address, familyOf(address));
