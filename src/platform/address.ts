import { BlockList, isIP, isIPv4 } from 'node:net';

/** IPv4 that is not on the public internet, or is no single host there (IANA special-purpose registry, RFC 6890). */
const SPECIAL_IPV4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const;

/** Within the unicast space: IETF protocols and Teredo, documentation, 6to4. The latter two carry IPv4 addresses inside. */
const SPECIAL_IPV6 = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const;

const special = new BlockList();
for (const [network, prefix] of SPECIAL_IPV4) special.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of SPECIAL_IPV6) special.addSubnet(network, prefix, 'ipv6');

/** All of IPv6 that is given out to hosts: loopback, link-local, unique local, mapped IPv4 and NAT64 lie outside. */
const unicast = new BlockList();
unicast.addSubnet('2000::', 3, 'ipv6');

/** True for the address of a host on the public internet; false for everything else, text that is no address included. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !special.check(address, 'ipv4');
  if (isIP(address) === 0) return false;
  return unicast.check(address, 'ipv6') && !special.check(address, 'ipv6');
}
