import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { freeSandboxPorts } from '../test/support/ports.ts';
import { createParticipant, participantCommand, planOf } from './authority/participant.ts';
import { type Ports, portsOf } from './configuration.ts';
import { findClash } from './doors.ts';
import { type Places, placesOf } from './places.ts';
import { platformCommand } from './platform-command.ts';
import { resetSandbox } from './reset.ts';
import { type Sandbox, startSandbox } from './start.ts';
import { startPage } from './start-page.ts';
import { performLab } from './tpp/lab.ts';
import { findLabClient, labClients } from './tpp/lab-clients.ts';
import { walk } from './tpp/walk.ts';
import { walkRevoked } from './tpp/walk-revoked.ts';
import { walkWrong } from './tpp/walk-wrong.ts';

const silent = () => undefined;

describe('the sandbox', () => {
  let root: string;
  let places: Places;
  let ports: Ports;
  let sandbox: Sandbox;

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'portcullis-sandbox-'));
    places = placesOf(join(root, 'var'));
    ports = await freeSandboxPorts();
    sandbox = await startSandbox(places, ports);
  });
  after(async () => {
    await sandbox.stop();
    await rm(root, { recursive: true, force: true });
  });

  const labSecret = () => findLabClient(places, labClients.machine);

  /** `npm start` as a process of its own, on the same directory and ports. */
  function spawnStart() {
    const offset = String(ports.issuer - portsOf(0).issuer);
    const child = spawn(process.execPath, [join(import.meta.dirname, 'start.ts')], {
      env: { ...process.env, PORTCULLIS_SANDBOX_DIRECTORY: places.root, PORTCULLIS_SANDBOX_PORT_OFFSET: offset },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (output.includes('Portcullis is ready')) resolve();
      });
    }
    const ended = new Promise<number | null>((end) => child.once('exit', end));
    void ended.then(() => reject(new Error(output)));
    ready.catch(() => undefined);
    return { ready, ended, output: () => output };
  }

  test('ASK-01 a port that is taken is named, with a proposal, before anything is made', async () => {
    const taken = createServer();
    const other = await freeSandboxPorts();
    await new Promise<void>((resolve) => taken.listen(other.mtls, 'localhost', resolve));
    const elsewhere = placesOf(join(root, 'elsewhere'));
    try {
      await assert.rejects(startSandbox(elsewhere, other), (error: Error) => {
        assert.match(error.message, new RegExp(`^port ${other.mtls} \\(mTLS door\\) is taken: .*PORT_OFFSET`));
        return true;
      });
      await assert.rejects(stat(elsewhere.root));
    } finally {
      taken.close();
    }
  });

  test('CLD-05 a second sandbox in the same directory is refused while the first runs', async () => {
    const second = spawnStart();
    assert.equal(await second.ended, 1);
    assert.match(second.output(), /^the sandbox runs already \(process \d+\)/);
  });

  test('ASK-01 the walk: a third party goes the whole way at Go Bank, and no secret is printed', async () => {
    const lines: string[] = [];
    assert.equal(await walk(places, ports, (line) => lines.push(line)), 14);
    const text = lines.join('\n');
    assert.ok(!text.includes('p@ssword!') && !text.includes('✗'));
    const file = join(places.participants, 'financroo', 'clients', 'gobank.json');
    const { registration_access_token } = JSON.parse(await readFile(file, 'utf8'));
    assert.ok(registration_access_token.length > 20 && !text.includes(registration_access_token));
    assert.equal((await stat(file)).mode & 0o777, 0o600);
  });

  test('the walk again: the registration is reused', async () => {
    const lines: string[] = [];
    await walk(places, ports, (line) => lines.push(line));
    assert.match(lines.join('\n'), /known as \S+: registered at an earlier walk/);
  });

  test('WSN-08 a certificate is revoked: the next call over the same connection is refused, and a renewal mends it', async () => {
    const lines: string[] = [];
    assert.equal(await walkRevoked(places, ports, (line) => lines.push(line)), 16);
    const text = lines.join('\n');
    assert.match(text, /"reason": "certificate_revoked"/);
    assert.match(text, /"error": "invalid_request",\s+"error_description": "The issuer has withdrawn the certificate/);
    assert.match(text, /revokedpay: transport\.pem is new, valid for a year, with a new key/);
    const { output } = await platformCommand(places, ['audit', 'search', '--participant', 'revokedpay']);
    assert.match(output, /"reason":"certificate_revoked"/);
  });

  test('WSO-17 LAB-41 certificates that do not work: no byte at the mTLS door, the reason at the onboarding door', async () => {
    const lines: string[] = [];
    assert.equal(await walkWrong(places, ports, (line) => lines.push(line)), 5);
    for (const kind of ['missing', 'untrusted', 'expired', 'wrong_purpose']) {
      assert.match(lines.join('\n'), new RegExp(`"reason": "certificate_${kind}"`));
    }
  });

  test('LAB-47 the lab: every row is as it should be, and no secret is printed', async () => {
    const lines: string[] = [];
    const results = await performLab(places, ports, (line) => lines.push(line));
    assert.deepEqual(
      results.filter(({ expected, actual }) => expected !== actual),
      [],
    );
    assert.ok(results.length >= 29);
    const text = lines.join('\n');
    assert.ok(!text.includes((await labSecret()).client_secret) && !/eyJ[\w-]{20,}\.eyJ/.test(text));
  });

  test('participant: the running platform hears of a new one', async () => {
    const lines = await createParticipant(places, planOf(['mypay', '--roles', 'PISP']), new Date());
    assert.match(lines.join('\n'), /entered: mypay/);
    assert.match((await platformCommand(places, ['participant', 'list'])).output, /mypay approved PISP/);
  });

  test('participant: revoke names what is revoked; an unknown name and a second time are refused with a sentence', async () => {
    const revoke = (...words: readonly string[]) => participantCommand(places, ['revoke', ...words], new Date());
    await assert.rejects(revoke('nobody'), /^Error: there is no participant nobody; there are financroo, /);
    const [first = ''] = await revoke('mypay', '--reason', 'superseded');
    assert.match(first, /^mypay: the certificate with serial number [0-9A-F]+ is revoked: superseded$/);
    await assert.rejects(revoke('mypay'), /every certificate of mypay was revoked already \(superseded, 20/);
  });

  test('the start page names addresses, users and what to try', async () => {
    const page = await startPage(places, ports, 1_234, []);
    assert.match(page, new RegExp(`https://localhost:${ports.issuer}/gobank`));
    assert.match(page, /user \/ p@ssword!/);
    assert.match(page, /npm run walk/);
  });

  test('CLD-05 N-281 a second start keeps the data; without its database Lab Bank gets its clients again', async () => {
    const secret = await labSecret();
    await sandbox.stop();
    sandbox = await startSandbox(places, ports);
    assert.match((await platformCommand(places, ['participant', 'list'])).output, /mypay approved/);
    assert.deepEqual(await labSecret(), secret);
    assert.deepEqual(sandbox.notes, []);
    await sandbox.stop();
    await rm(places.database, { recursive: true });
    sandbox = await startSandbox(places, ports);
    assert.match(sandbox.notes.join('\n'), /^gobank does not know the client of financroo any more/);
    assert.notDeepEqual(await labSecret(), secret);
    assert.equal(await walk(places, ports, silent), 14);
  });

  test('N-277 CA-18 a renewed certificate keeps the registration', async () => {
    await sandbox.stop();
    const certificate = join(places.participants, 'financroo', 'transport.pem');
    const before = await readFile(certificate, 'utf8');
    await rm(certificate);
    sandbox = await startSandbox(places, ports);
    assert.notEqual(await readFile(certificate, 'utf8'), before);
    assert.ok(!sandbox.notes.some((note) => note.includes('financroo')), sandbox.notes.join('\n'));
    const lines: string[] = [];
    assert.equal(await walk(places, ports, (line) => lines.push(line)), 14);
    assert.match(lines.join('\n'), /registered at an earlier walk/);
  });

  test('ASK-01 a platform that cannot start is named with its own words, and nothing stays open', async () => {
    await sandbox.stop();
    await rm(join(places.keys), { recursive: true });
    await assert.rejects(startSandbox(places, ports), /^Error: the platform ended: /);
    assert.equal(await findClash(ports), undefined);
  });

  test('CLD-57 reset stops what runs and removes everything; twice is no error; another directory is left alone', async () => {
    await sandbox.stop();
    assert.match(await resetSandbox(places), /is gone/);
    const start = spawnStart();
    await start.ready;
    assert.match(await resetSandbox(places), /is gone/);
    assert.equal(await start.ended, 0, start.output());
    await assert.rejects(stat(places.root));
    assert.equal(await findClash(ports), undefined);
    assert.match(await resetSandbox(places), /nothing to remove/);
    await assert.rejects(resetSandbox(placesOf(root)), /holds no sandbox/);
    assert.ok((await stat(root)).isDirectory());
  });
});
