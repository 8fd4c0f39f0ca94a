/** Proves that no address inside a network, in any spelling, counts as public. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPublicAddress } from '../../src/network/address-ranges.ts';

describe('RFC 6890 special-purpose addresses', () => {
  it.each([
    ...['0.0.0.0', '0.1.2.3', '10.0.0.1', '10.255.255.255', '100.64.0.1', '100.100.100.200', '100.127.255.255'],
    ...['127.0.0.1', '127.255.255.254', '168.63.129.16', '169.254.169.254', '172.16.0.1', '172.31.255.255'],
    ...['192.0.0.8', '192.0.2.1', '192.31.196.1', '192.52.193.1', '192.88.99.1', '192.168.1.1', '192.175.48.1'],
    ...['198.18.0.1', '198.19.255.255', '198.51.100.1', '203.0.113.1', '224.0.0.1', '239.255.255.255'],
    ...['240.0.0.1', '255.255.255.255'],
    ...['::', '::1', '::7f00:1', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '::ffff:0:127.0.0.1', '64:ff9b::a00:1'],
    ...['64:ff9b::808:808', '64:ff9b:1::1', '100::1', '2001::1', '2001:0:a00:1::', '2001:10::1', '2001:20::1'],
    ...['2001:1ff::1', '2001:db8::1', '2002:a00:1::', '2002:7f00:1::1', '2620:4f:8000::1', '3fff::1', '5f00::1'],
    ...['fc00::1', 'fd00:ec2::254', 'fe80::1', 'fe80::1%eth0', '2606:4700::1111%eth0', 'fec0::1', 'ff02::1'],
    ...['', 'localhost', '2130706433', '0x7f.1', '127.1', '010.0.0.1', '1.2.3.4/8', '[::1]'],
  ])('the address %s is not public', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each([
    ...['1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255'],
    ...['128.0.0.0', '169.253.255.255', '172.15.255.255', '172.32.0.0', '192.167.255.255', '192.169.0.0'],
    ...['198.17.255.255', '198.20.0.0', '223.255.255.255', '2001:200::1', '2606:4700:4700::1111', '2a00:1450::1'],
  ])('the address %s is public', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it('an IPv4 address embedded in IPv6 is never public', () => {
    const hidden = fc.tuple(
      fc.ipV4(),
      fc.constantFrom(
        (v4: string) => `::ffff:${v4}`,
        (v4: string) => `::${v4}`,
        (v4: string) => `64:ff9b::${v4}`,
        (v4: string) => `2002:${hex(v4)}::`,
      ),
    );
    fc.assert(fc.property(hidden, ([v4, hide]) => !isPublicAddress(hide(v4))));
  });

  it('an arbitrary text never throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.ipV6(), fc.ipV4Extended()),
        (text) => typeof isPublicAddress(text) === 'boolean',
      ),
    );
  });
});

function hex(v4: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = v4.split('.').map(Number);
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}
