/**
 * Owns the client address that the limits count: the address of the connection, or the one that a trusted proxy reports (RFC 7239
 * §5.2 in the form of X-Forwarded-For). Anybody can set that header, so it is read from the right, over trusted hops only.
 */
import type { IncomingMessage } from 'node:http';
import { BlockList } from 'node:net';
import { z } from 'zod';
import { BoundedMap } from '../../collections/bounded-map.ts';
import { addRange, blockListOf, contains, LINK_LOCAL_IPV6, LOOPBACK, PRIVATE } from '../../network/address-ranges.ts';
import { countable, readAddress } from '../../network/ip-address.ts';
import { membersOf } from '../../settings/types.ts';

const NAMED: Readonly<Record<string, readonly string[]>> = {
  none: [],
  loopback: LOOPBACK,
  private: PRIVATE,
};

/** The setting type of TRUSTED_PROXIES: addresses, CIDR ranges, and the words `loopback` and `private`. */
export const trustedProxies = (): z.ZodType<BlockList, string> =>
  z.string().transform((text, context) => {
    const list = new BlockList();
    const refuse = (message: string) => context.addIssue({ code: 'custom', message });
    try {
      for (const entry of membersOf(text)) {
        if (/\/0+$/.test(entry)) refuse(`expected proxies: ${entry} would trust everybody`);
        else if (!(NAMED[entry] ?? [entry]).every((range) => addRange(list, range))) {
          refuse(`expected addresses, ranges, loopback or private, not ${entry}`);
        }
      }
    } catch (error) {
      refuse((error as Error).message);
    }
    return list;
  });

/** A connection that is already closed has no address: all of those count as one caller. */
const peerOf = ({ socket }: IncomingMessage): string => readAddress(socket.remoteAddress ?? '') ?? '';

export function createClientAddress(trusted: BlockList): (req: IncomingMessage) => string {
  const hasTrustedProxies = trusted.rules.length > 0;
  // A connection brings many requests, and reading an address costs more than finding it again.
  const known = new BoundedMap<string, string>(1_000);
  const countablePeerOf = ({ socket }: IncomingMessage): string => {
    const written = socket.remoteAddress ?? '';
    const found = known.get(written) ?? countable(readAddress(written) ?? '');
    if (!known.has(written)) known.set(written, found);
    return found;
  };
  return (req) => {
    if (!hasTrustedProxies) return countablePeerOf(req);
    let address = peerOf(req);
    const hops = String(req.headers['x-forwarded-for'] ?? '').split(',');
    while (address && contains(trusted, address)) {
      const before = readAddress(hops.pop() ?? '');
      if (before === undefined) break;
      address = before;
    }
    return countable(address);
  };
}

/**
 * The proxy that an operator probably forgot in TRUSTED_PROXIES: a near one that reports an address. Behind it all callers share one
 * limit.
 */
export function forgottenProxy(req: IncomingMessage, trusted: BlockList): string | undefined {
  if (req.headers['x-forwarded-for'] === undefined) return undefined;
  const proxy = peerOf(req);
  return proxy !== '' && contains(NEAR, proxy) && !contains(trusted, proxy) ? proxy : undefined;
}

/** Addresses of an operator's own proxies; a header from other addresses may be forged. */
const NEAR = blockListOf(...LOOPBACK, ...PRIVATE, ...LINK_LOCAL_IPV6);

/** For the log, once. */
export const FORGOTTEN_PROXY = 'TRUSTED_PROXIES does not include this proxy: its callers share one limit';
