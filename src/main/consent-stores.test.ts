import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callbackSchemes } from './consent-stores.ts';
import type { BankSettings, Settings } from './settings.ts';
import { warnOfTrust } from './trust.ts';
import { checkTrust } from './trust-settings.ts';

type Store = NonNullable<BankSettings['consentStore']>;

const bank = (trust: Partial<BankSettings['trust']>, store: Partial<Store> | undefined): BankSettings => ({
  id: 'gobank',
  name: 'Go Bank',
  regime: 'generic',
  profile: 'fapi2',
  accessTokens: 'opaque',
  trust: { anchors: ['root.pem'], ...trust },
  connector: { origin: 'https://core.example', certificate: 'a', key: 'b', authorities: ['c'] },
  ...(store === undefined
    ? {}
    : {
        consentStore: {
          origin: 'https://store.example',
          certificate: 'a',
          key: 'b',
          authorities: ['internal.pem'],
          callbackCertificate: 'd',
          ...store,
        },
      }),
});

function settingsOf(one: BankSettings): Settings {
  return {
    doors: {
      issuer: { host: 'localhost', port: 1, origin: 'https://a.example', certificate: 'a', key: 'b' },
      mtls: {
        host: 'localhost',
        port: 2,
        origin: 'https://b.example',
        certificate: 'a',
        key: 'b',
        clientCertificate: 'request',
      },
      operators: { host: '127.0.0.1', port: 3 },
    },
    database: {},
    keys: { directory: 'keys' },
    directory: {},
    banks: [one],
  };
}

const schemeOf = (one: BankSettings) => callbackSchemes(settingsOf(one));

test('WSO-07 a consent store that calls back is asked about like everybody else: strictly, unless something is said', () => {
  assert.deepEqual(schemeOf(bank({}, undefined)), []);
  const [strict] = schemeOf(bank({}, {}));
  assert.deepEqual([strict?.bank, strict?.paths, strict?.scheme.revocation], ['gobank', ['internal.pem'], {}]);
});

test('a consent store takes the rule of its bank, its deny list, or a rule of its own', () => {
  const rule = { order: 'crl-only' } as const;
  const denied = [{ issuer: 'CN=a', serial: '01' }];
  const [inherited] = schemeOf(bank({ revocation: rule, denied }, {}));
  assert.deepEqual([inherited?.scheme.revocation, inherited?.scheme.denied], [rule, denied]);
  const [own] = schemeOf(bank({ revocation: rule }, { revocation: { order: 'ocsp-only' } }));
  assert.deepEqual(own?.scheme.revocation, { order: 'ocsp-only' });
});

test('WSO-07 off for a consent store alone must be accepted in words of its own', () => {
  const off = { revocation: 'off' } as const;
  assert.throws(
    () => checkTrust(off, 'banks[0].consentStore', false),
    /banks\[0\]\.consentStore\.revocation: off is refused/,
  );
  checkTrust(off, 'banks[0].consentStore', true);
});

test('WSO-07 a consent store whose withdrawn certificates are accepted is named at every start', () => {
  const warned: unknown[] = [];
  const nothing = () => undefined;
  const log = { debug: nothing, info: nothing, warn: (fields: unknown) => void warned.push(fields), error: nothing };
  warnOfTrust(settingsOf(bank({}, {})), log);
  assert.deepEqual(warned, []);
  warnOfTrust(settingsOf(bank({}, { revocation: 'off' })), log);
  assert.deepEqual(warned, [{ bank: 'gobank/consent-store' }]);
});
