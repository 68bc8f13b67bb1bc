import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPublicAddress } from './address.ts';

test('addresses inside a network, of this machine, or of nobody are not public', () => {
  const refused = [
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '192.0.0.1',
    '192.0.2.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.7',
    '203.0.113.9',
    '224.0.0.1',
    '239.1.1.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:10.0.0.1',
    '::ffff:8.8.8.8',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::1',
    'fe80::1',
    'fe80::1%eth0',
    'fc00::1',
    'fd12:3456::1',
    'fec0::1',
    'ff02::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '3fff::1',
    '100::1',
    '5f00::1',
  ];
  for (const address of refused) assert.equal(isPublicAddress(address), false, address);
});

test('what is no address is not public', () => {
  for (const text of ['', 'localhost', '127.1', '0x7f000001', '1.2.3', '8.8.8.8:443', '[::1]', ' 8.8.8.8'])
    assert.equal(isPublicAddress(text), false, text);
});

test('hosts on the internet are public', () => {
  const given = ['1.1.1.1', '8.8.8.8', '172.15.255.255', '172.32.0.1', '192.167.1.1', '223.255.255.255', '100.63.0.1'];
  for (const address of [...given, '2606:4700:4700::1111', '2a00:1450:4001::1', '2003::1'])
    assert.equal(isPublicAddress(address), true, address);
});
