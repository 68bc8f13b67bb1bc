import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callbackSchemes } from './consent-stores.ts';
import { type BankSettings, checkSettings, type Settings } from './settings.ts';
import { warnOfTrust } from './trust.ts';

const regimes = new Map([['generic', undefined]]);
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

test('N-207 accounts are changed in the built-in store alone: with one of the bank the start stops', () => {
  const own = { ...bank({}, {}), accountChanges: true };
  assert.throws(() => checkSettings(settingsOf(own), regimes), /^Error: banks\[0\]\.accountChanges/);
  checkSettings(settingsOf({ ...bank({}, undefined), accountChanges: true }), regimes);
});

test('WSO-07 off for a bank, or for its consent store alone, stops every start outside the sandbox', () => {
  const off = { revocation: 'off' } as const;
  for (const [one, key] of [
    [bank(off, undefined), 'trust'],
    [bank({}, off), 'consentStore'],
  ] as const) {
    const settings = settingsOf(one);
    const refused = new RegExp(`^Error: banks\\[0\\]\\.${key}\\.revocation: off is accepted in the sandbox only`);
    assert.throws(() => checkSettings(settings, regimes), refused);
    assert.throws(() => checkSettings({ ...settings, sandbox: false }, regimes), refused);
    checkSettings({ ...settings, sandbox: true }, regimes);
  }
});

test('WSO-07 off for the proxy before the door stops every start outside the sandbox, and is told in it', () => {
  const settings = settingsOf(bank({}, undefined));
  const identity = { revocation: 'off' } as const;
  const proxy = { header: 'Client-Cert', format: 'rfc9440' } as const;
  const mtls = {
    ...settings.doors.mtls,
    forwarded: { ...proxy, identity: { ...identity, anchors: ['proxies.pem'] }, proxies: ['10.1.0.7'] },
  };
  const behind = { ...settings, doors: { ...settings.doors, mtls } };
  assert.throws(
    () => checkSettings(behind, regimes),
    /^Error: doors\.mtls\.forwarded\.identity\.revocation: off is accepted/,
  );
  checkSettings({ ...behind, sandbox: true }, regimes);
  const warned: unknown[] = [];
  const nothing = () => undefined;
  const warn = (_fields: unknown, message: string) => void warned.push(message);
  warnOfTrust(behind, { debug: nothing, info: nothing, warn, error: nothing });
  assert.deepEqual(warned, ['a withdrawn certificate of the proxy is accepted: revocation is off']);
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
