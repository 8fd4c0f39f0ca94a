/**
 * Owns which hosts are reached without the proxy: NO_PROXY as curl, Go and Python read it. A name matches itself and all its
 * subdomains, an address or a CIDR range matches addresses, `*` matches everything. An entry with a port matches that port only.
 */
import { BlockList, isIP } from 'node:net';
import { addRange, contains } from './address-ranges.ts';

/** Whether a URL is reached without the proxy. */
export type SkipsProxy = (url: URL) => boolean;

type Entry = (host: string, port: string) => boolean;

/** Invalid entries are ignored. */
export function readNoProxy(text: string): SkipsProxy {
  const entries = text
    .toLowerCase()
    .split(/[\s,]+/)
    .map(entryOf)
    .filter((entry) => entry !== undefined);
  return (url) => entries.some((matches) => matches(hostOf(url), portOf(url)));
}

const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
const portOf = ({ port, protocol }: URL): string => port || (protocol === 'https:' ? '443' : '80');

function entryOf(written: string): Entry | undefined {
  if (written === '*') return () => true;
  const range = rangeOf(written);
  if (range) return range;
  const [, bracketed, named = '', port] = /^(?:\[([^\]]+)\]|([^:[\]/]+))(?::(\d+))?$/.exec(written) ?? [];
  const fitsPort = (other: string) => port === undefined || port === other;
  const address = bracketed ?? (isIP(named) ? named : undefined);
  if (address !== undefined) {
    const one = isIP(address) ? rangeOf(address) : undefined;
    return one && ((host, other) => fitsPort(other) && one(host, other));
  }
  const name = named.replace(/^\*?\./, '').replace(/\.$/, '');
  if (!name || name.includes('*')) return undefined;
  return (host, other) => fitsPort(other) && (host === name || host.endsWith(`.${name}`));
}

function rangeOf(written: string): Entry | undefined {
  const list = new BlockList();
  if (!addRange(list, written)) return undefined;
  return (host) => isIP(host) > 0 && contains(list, host);
}
