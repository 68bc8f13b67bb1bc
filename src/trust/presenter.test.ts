import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { NOW } from '../../test/support/judging.ts';
import { createTrust } from './index.ts';

test('attack 5 a connection that is gone came from no proxy', async () => {
  const secret = { header: 'X-Proxy-Secret', value: 's'.repeat(40) };
  const source = { header: 'Client-Cert', format: 'rfc9440', proxies: ['127.0.0.1'], secret } as const;
  const trust = createTrust({ clock: { now: () => NOW }, schemes: new Map(), forwarded: () => source });
  const verdict = await trust.clientCertificate(new IncomingMessage(new Socket()), 'bank');
  assert.equal(verdict.ok ? 'ok' : verdict.detail, 'certificate_absent');
});
