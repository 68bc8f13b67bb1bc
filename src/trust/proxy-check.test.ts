import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { createAuthority, type Issued } from '../../test/support/certificates.ts';
import { NOW } from '../../test/support/judging.ts';
import { crl } from '../../test/support/revocation.ts';
import { createIssuers } from './issuer-fetch.ts';
import { createJudgeOnce } from './judge-once.ts';
import { createWatch } from './observation.ts';
import { createProxyCheck } from './proxy-check.ts';
import { createRevocation } from './revocation.ts';
import { compileScheme } from './scheme.ts';
import { ALONE } from './sharing.ts';
import { Unusable } from './unusable.ts';
import type { CertificateVerdict } from './verdict.ts';
import { createVerdictMemory } from './verdict-memory.ts';

const WITHDRAWN = 4_711n;
const root = createAuthority('Proxy Root');
const crlUrls = ['http://lists.example/proxies.crl'];
const proxy = root.issue({ commonName: 'proxy', crlUrls });
const withdrawn = root.issue({ commonName: 'proxy', crlUrls, serial: WITHDRAWN });
const clock = { now: () => NOW };
const request = new IncomingMessage(new Socket());
const handedOn: CertificateVerdict = {
  ok: false,
  reason: 'certificate_expired',
  detail: 'expired',
  message: 'of what was handed on',
  certificate: undefined,
};

/** A check with a list that is fetched in the way given, and what it told. */
function open(list: () => Promise<Uint8Array>) {
  const told: unknown[] = [];
  const asked = { lists: 0, handedOn: 0 };
  const watch = createWatch({ warn: (fields) => told.push(fields) }, undefined);
  const fetch = {
    ocsp: () => Promise.reject(new Error('no responder is asked')),
    crl: () => {
      asked.lists += 1;
      return list();
    },
    close: async () => undefined,
  };
  const evaluations = createVerdictMemory(clock);
  const revocation = createRevocation({ clock, watch, changed: () => undefined, fetch, sharing: ALONE });
  const judgeOnce = createJudgeOnce({
    clock,
    evaluations,
    revocation,
    issuers: createIssuers(clock, watch, undefined),
  });
  const check = createProxyCheck(judgeOnce, watch);
  const scheme = schemeOf();
  const judgeHandedOn = () => {
    asked.handedOn += 1;
    return handedOn;
  };
  const through = async (shown: Issued, rules = scheme) => {
    const verdict = await check({ presented: { chain: shown.chain }, scheme: rules }, request, judgeHandedOn);
    return verdict.ok ? 'ok' : `${verdict.reason}/${verdict.detail}`;
  };
  return { told, asked, through, check, scheme, judgeHandedOn };
}

function schemeOf(anchors = [root.certificatePem]) {
  return compileScheme({ anchors, extendedKeyUsages: ['clientAuth'], revocation: { order: 'crl-only' } });
}

const REFUSED = 'certificate_missing/header_untrusted_source';
const JUDGED = 'certificate_expired/expired';
const event = { event: 'trust.proxy_refused', peer: 'unknown' };

test('WSO-07 what a withdrawn proxy hands on is not even judged; the list is asked for once', async () => {
  const { told, asked, through } = open(async () => crl(root, [WITHDRAWN]));
  for (let round = 0; round < 2; round += 1) {
    assert.equal(await through(withdrawn), REFUSED);
    assert.equal(await through(proxy), JUDGED);
  }
  assert.deepEqual(asked, { lists: 1, handedOn: 2 });
  assert.deepEqual(told, [
    { ...event, detail: 'revoked' },
    { ...event, detail: 'revoked' },
  ]);
});

test('WSO-07 a proxy about which nobody answers, or nobody could be asked, hands nothing on', async () => {
  const { told, asked, through } = open(() => Promise.reject(new Unusable('fetch_failed', 'down')));
  assert.equal(await through(proxy), REFUSED);
  assert.deepEqual(told.at(-1), { ...event, detail: 'revocation_unavailable' });
  assert.equal(await through(root.issue({ commonName: 'proxy' })), REFUSED);
  assert.deepEqual(told.at(-1), { ...event, detail: 'revocation_info_missing' });
  assert.equal(asked.handedOn, 0);
});

test('a verdict over the proxy under former authorities says nothing under new ones', async () => {
  const { through } = open(async () => crl(root, []));
  assert.equal(await through(proxy), JUDGED);
  assert.equal(await through(proxy, schemeOf([createAuthority('Other').certificatePem])), REFUSED);
  assert.equal(await through(proxy), JUDGED);
});

test('a connection that shows no certificate is not the proxy’s', async () => {
  const { check, scheme, judgeHandedOn, asked } = open(async () => crl(root, []));
  const verdict = await check({ presented: { absent: 'session_resumed' }, scheme }, request, judgeHandedOn);
  assert.equal(verdict.ok, false);
  assert.equal(asked.handedOn, 0);
});
