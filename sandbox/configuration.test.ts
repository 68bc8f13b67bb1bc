import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { openRegister } from './authority/register.ts';
import { ownPorts, platformConfiguration, portsOf, sandboxBanks } from './configuration.ts';
import { expiryWarnings } from './expiry.ts';
import { ownPlaces, placesOf } from './places.ts';
import { findProcesses, noteProcesses } from './process-book.ts';

const DAY_MS = 86_400_000;

async function temporary(t: { after(work: () => Promise<void>): void }): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'portcullis-configuration-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  return root;
}

test('ASK-03 an offset that is no number is refused, one that is moves every port', () => {
  for (const offset of ['-1', 'x', '1.5', '60000', ' ']) {
    assert.throws(() => ownPorts({ PORTCULLIS_SANDBOX_PORT_OFFSET: offset }), /PORTCULLIS_SANDBOX_PORT_OFFSET/, offset);
  }
  const ports = ownPorts({ PORTCULLIS_SANDBOX_PORT_OFFSET: '100' });
  const { issuer, mtls, plain, operators, onboarding, status, banks, consentStores } = ports;
  assert.deepEqual([issuer, mtls, plain, operators, onboarding, status], [8543, 8544, 8545, 8180, 8546, 9200]);
  assert.deepEqual([banks, consentStores], [{ gobank: 9201, labbank: 9202, hyperscale: 9203 }, { hyperscale: 9204 }]);
});

test('the sandbox contract: ports, doors and banks of design §6', () => {
  const text = JSON.stringify(platformConfiguration(portsOf(0), placesOf('/var')));
  for (const told of ['https://localhost:8443', 'https://localhost:8444', 'https://localhost:8445', '"port":8080']) {
    assert.ok(text.includes(told), told);
  }
  assert.match(text, /"id":"gobank","name":"Go Bank","regime":"generic","profile":"fapi2","accessTokens":"opaque"/);
  assert.match(text, /"id":"labbank","name":"Lab Bank","regime":"generic","profile":"baseline","accessTokens":"jwt"/);
  assert.match(
    text,
    /"id":"hyperscale","name":"Hyperscale Bank".*"consentStore":\{"origin":"https:\/\/localhost:9104"/,
  );
  assert.match(text, /"clientCertificate":"handshake"/);
});

test('WSN-13 WSO-07 every bank of the sandbox checks revocation, at the authority of this machine alone', () => {
  const text = JSON.stringify(platformConfiguration(portsOf(0), placesOf('/var')));
  const settings =
    '"revocation":{"hosts":["localhost"],"allowPrivateAddresses":true,"ocspMaximumAgeSeconds":30,"crlMaximumAgeSeconds":30}';
  assert.equal(text.split(settings).length - 1, sandboxBanks.length);
  assert.ok(!text.includes('"off"'));
});

test('a directory with a long name still has a socket that systems can open', () => {
  const { control } = placesOf(`/${'long/'.repeat(40)}var`);
  assert.ok(Buffer.byteLength(control) <= 100, control);
  assert.equal(
    ownPlaces({ PORTCULLIS_SANDBOX_DIRECTORY: '/elsewhere' }).configuration,
    '/elsewhere/sandbox/portcullis.json',
  );
});

test('process ids that others use now, or a file that was cut off, name no process', async (t) => {
  const places = placesOf(await temporary(t));
  assert.deepEqual(await findProcesses(places), {});
  await noteProcesses(places, { start: 1, platform: process.pid });
  assert.deepEqual(await findProcesses(places), {});
  await mkdir(places.sandbox, { recursive: true });
  await writeFile(places.processId, '{"start":');
  assert.deepEqual(await findProcesses(places), {});
});

test('N-277 a warning names every certificate that ends within thirty days', async (t) => {
  const places = placesOf(await temporary(t));
  const now = new Date('2026-05-04T12:00:00Z');
  await openRegister(places, [], now);
  assert.deepEqual(await expiryWarnings(places, new Date(now.getTime() + 334 * DAY_MS)), []);
  const near = await expiryWarnings(places, new Date(now.getTime() + 364 * DAY_MS));
  assert.ok(
    near.some((warning) => /financroo.*transport\.pem ends in 1 day/.test(warning)),
    near.join('\n'),
  );
});

test('walk, lab and participant end with status 1 and a sentence when there is nothing to talk to', async (t) => {
  const environment = { ...process.env, PORTCULLIS_SANDBOX_DIRECTORY: await temporary(t) };
  const run = promisify(execFile);
  for (const [program, sentence] of [
    ['tpp/walk.ts', /run npm start/],
    ['tpp/lab.ts', /run npm start/],
    ['authority/participant.ts', /one name, please/],
  ] as const) {
    const outcome = run(process.execPath, [join(import.meta.dirname, program)], { env: environment });
    await assert.rejects(outcome, (error: Error & { readonly code?: number; readonly stderr?: string }) => {
      assert.equal(error.code, 1, program);
      assert.match(error.stderr ?? '', sentence);
      return true;
    });
  }
});
