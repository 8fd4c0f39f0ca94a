/** Proves that each address range is valid, and that the addresses in it are found. */
import { BlockList } from 'node:net';
import { describe, expect, it } from 'vitest';
import * as ranges from '../../src/network/address-ranges.ts';

const { addRange, blockListOf, contains, SPECIAL_PURPOSE } = ranges;

describe('RFC 6890 special-purpose address ranges', () => {
  it('every named range can be used', () => {
    const named = Object.values(ranges).filter((value) => Array.isArray(value));
    expect(named.length).toBeGreaterThan(5);
    for (const list of named) expect(() => blockListOf(...list)).not.toThrow();
  });

  it.each(['10.1.2.3', '127.0.0.1', '169.254.169.254', '100.64.0.1', '::1', 'fd00::1', 'fe80::1', '2001:db8::1'])(
    '%s is for a special purpose',
    (address) => expect(contains(blockListOf(...SPECIAL_PURPOSE), address)).toBe(true),
  );

  it.each(['8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700::1111'])('%s is not', (address) =>
    expect(contains(blockListOf(...SPECIAL_PURPOSE), address)).toBe(false),
  );

  it.each(['', 'x', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/x', 'fe80::1%eth0', '::/129'])(
    'the text %j is refused as a range',
    (text) => {
      expect(addRange(new BlockList(), text)).toBe(false);
      expect(() => blockListOf(text)).toThrow(TypeError);
    },
  );

  it('an address without bits is a range of one', () => {
    const list = blockListOf('10.0.0.1', '2001:db8::1');
    expect(['10.0.0.1', '10.0.0.2', '2001:db8::1', '2001:db8::2'].map((address) => contains(list, address))).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });
});
