import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { errors } from 'oidc-provider';
import { openTestDatabase } from '../../test/support/database.ts';
import type { Consent } from '../consent/index.ts';
import type { Database } from '../platform/database.ts';
import { Refusal } from '../platform/refusal.ts';
import type { Vault } from '../vault/index.ts';
import { type AdapterParts, createArtifactAdapter } from './adapter.ts';
import { endConsent } from './grant-model.ts';
import { createArtifactStore, sweepArtifacts } from './store.ts';

const now = new Date('2026-03-01T10:00:00Z');
const hidden = (context: string, text: string) => Buffer.from(`${context}|${text}`).toString('base64');

/** Enough of the vault for rows: reversible, and it binds the context as the real one does. */
const seals: Pick<Vault, 'seal' | 'open'> = {
  seal: async (context, plaintext) => hidden(context, Buffer.from(plaintext).toString('latin1')),
  open: async (context, sealed) => {
    const [found, text] = Buffer.from(sealed, 'base64').toString().split('|');
    assert.equal(found, context);
    return Buffer.from(text ?? '', 'latin1');
  },
};

let database: Database;
const revoked: string[] = [];
const redeemed: string[] = [];
let parts: AdapterParts;

before(async () => {
  database = await openTestDatabase();
  parts = {
    bank: 'gobank',
    store: createArtifactStore(database, 'gobank'),
    vault: seals,
    clock: { now: () => now },
    hash: (value) => `h-${Buffer.from(value).toString('hex')}`,
    redeemed: async (grant) => {
      redeemed.push(grant);
    },
    revokeGrant: async (grant) => {
      revoked.push(grant);
    },
  };
});

after(() => database.close());

/** Lets every caller arrive before the first goes on: a slow store alone proves nothing about races (engine.md §8). */
function barrier(size: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let waiting = 0;
  return () => {
    waiting += 1;
    if (waiting === size) resolve();
    return promise;
  };
}

async function race(size: number, run: () => Promise<void>): Promise<{ won: number; errors: unknown[] }> {
  const arrive = barrier(size);
  const settled = await Promise.allSettled(
    Array.from({ length: size }, async () => {
      await arrive();
      await run();
    }),
  );
  const failures = settled.filter((item) => item.status === 'rejected').map((item) => item.reason);
  return { won: size - failures.length, errors: failures };
}

describe('storage of the engine', () => {
  test('N-69 B1 twenty parallel redemptions of one code: one wins, the rest are invalid_grant and the grant is revoked', async () => {
    const codes = createArtifactAdapter('AuthorizationCode', parts);
    await codes.upsert('code-1', { jti: 'code-1', grantId: 'grant-1', clientId: 'a' }, 60);
    const { won, errors: failures } = await race(20, async () => {
      await codes.consume('code-1');
    });
    assert.equal(won, 1);
    assert.equal(failures.length, 19);
    for (const failure of failures) assert.ok(failure instanceof errors.InvalidGrant);
    assert.deepEqual(new Set(revoked), new Set(['grant-1']));
    assert.deepEqual(redeemed, ['grant-1']);
  });

  test('N-66 B1 twenty parallel uses of one assertion: one is new, the rest are invalid_client', async () => {
    const replays = createArtifactAdapter('ReplayDetection', parts);
    const { won, errors: failures } = await race(20, async () => {
      assert.equal(await replays.find('mark'), undefined);
      await replays.upsert('mark', { jti: 'mark', iss: 'a' }, 60);
    });
    assert.equal(won, 1);
    for (const failure of failures) assert.ok(failure instanceof errors.InvalidClientAuth);
  });

  test('N-66 B1 marks that are written together, here and by another process, each count once', async () => {
    const here = createArtifactAdapter('ReplayDetection', parts);
    const there = createArtifactAdapter('ReplayDetection', {
      ...parts,
      store: createArtifactStore(database, 'gobank'),
    });
    const marks = Array.from({ length: 40 }, (_, index) => `together-${index}`);
    const expected = new Map(marks.map((mark) => [mark, 1]));
    const won = new Map<string, number>();
    // Each mark four times, in two orders and by two processes.
    const uses = [marks, marks.toReversed()].flatMap((order) =>
      order.flatMap((mark) => [here, there].map((replays) => [mark, replays] as const)),
    );
    await Promise.all(
      uses.map(async ([mark, replays]) => {
        try {
          await replays.upsert(mark, { jti: mark, iss: 'a' }, 60);
          won.set(mark, (won.get(mark) ?? 0) + 1);
        } catch (cause) {
          assert.ok(cause instanceof errors.InvalidClientAuth);
        }
      }),
    );
    assert.deepEqual(won, expected);
    const other = createArtifactAdapter('ReplayDetection', {
      ...parts,
      bank: 'labbank',
      store: createArtifactStore(database, 'labbank'),
    });
    await other.upsert('together-0', { jti: 'together-0', iss: 'a' }, 60);
  });

  test('B1 a mark counts again once it has expired, and not a moment before', async () => {
    const store = createArtifactStore(database, 'gobank');
    const mark = { id: 'expiring', grant: undefined, uid: undefined, payload: '{}', sealed: false, expiresAt: now };
    const write = (at: number) => store.write('ReplayDetection', mark, 'insert-once', new Date(now.getTime() + at));
    assert.deepEqual([await write(-1), await write(-1), await write(0)], [true, false, true]);
  });

  test('a mark that the database refuses fails alone', async () => {
    const replays = createArtifactAdapter('ReplayDetection', parts);
    const marks = ['alone-1', 'al\0one', 'alone-2'].map((jti) => replays.upsert(jti, { jti, iss: 'a' }, 60));
    const settled = await Promise.allSettled([...marks, replays.upsert('alone-3', { jti: 'alone-3', iss: 'a' }, 60)]);
    assert.deepEqual(
      settled.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
    );
  });

  test('N-102 one pushed request is completed once; the others end in invalid_request_uri', async () => {
    const pushed = createArtifactAdapter('PushedAuthorizationRequest', parts);
    await pushed.upsert('par-1', { jti: 'par-1', request: 'x' }, 60);
    const { won, errors: failures } = await race(20, async () => {
      await pushed.consume('par-1');
    });
    assert.equal(won, 1);
    for (const failure of failures) assert.ok(failure instanceof errors.InvalidRequestUri);
  });

  test('a consumed row is found with its consumption, its lifetime kept', async () => {
    const codes = createArtifactAdapter('AuthorizationCode', parts);
    await codes.upsert('code-2', { jti: 'code-2', grantId: 'grant-2' }, 60);
    await codes.consume('code-2');
    const found = await codes.find('code-2');
    assert.ok(found);
    assert.equal(found.consumed, now.getTime() / 1000);
    assert.equal(found.jti, 'code-2');
  });

  test('N-278 B12 no secret value stands in any row: ids are hashed, requests and sessions sealed', async () => {
    const secrets = ['refresh-secret', 'session-secret', 'par-secret', 'interaction-secret'];
    const models = ['RefreshToken', 'Session', 'PushedAuthorizationRequest', 'Interaction'];
    for (const [index, model] of models.entries()) {
      const secret = secrets[index] ?? '';
      const session = { cookie: 'cookie-secret', uid: 'u' };
      await createArtifactAdapter(model, parts).upsert(
        secret,
        { jti: secret, request: 'request-secret', session, uid: `uid-${model}` },
        60,
      );
    }
    const rows = JSON.stringify(await database.query('SELECT id, uid, payload FROM oauth.artifacts'));
    for (const secret of [...secrets, 'cookie-secret', 'request-secret', 'uid-Session'])
      assert.ok(!rows.includes(secret), secret);
  });

  test('a session is found by its uid although the id is not in the row', async () => {
    const sessions = createArtifactAdapter('Session', parts);
    await sessions.upsert('s-1', { jti: 's-1', uid: 'uid-1', accountId: 'user' }, 60);
    const found = await sessions.findByUid('uid-1');
    assert.ok(found);
    assert.equal(found.accountId, 'user');
    assert.equal(found.jti, undefined);
  });

  test('ether-7837 revoking by grant removes the model’s rows of that grant and no others', async () => {
    const refresh = createArtifactAdapter('RefreshToken', parts);
    await refresh.upsert('r-1', { jti: 'r-1', grantId: 'grant-r1' }, 600);
    await refresh.upsert('r-2', { jti: 'r-2', grantId: 'grant-r2' }, 600);
    await refresh.revokeByGrantId('grant-r1');
    assert.equal(await refresh.find('r-1'), undefined);
    assert.ok(await refresh.find('r-2'));
  });

  test('CLD-14 another bank does not see the rows', async () => {
    const codes = createArtifactAdapter('AuthorizationCode', parts);
    await codes.upsert('code-3', { jti: 'code-3', grantId: 'grant-3' }, 60);
    const other = createArtifactAdapter('AuthorizationCode', {
      ...parts,
      bank: 'labbank',
      store: createArtifactStore(database, 'labbank'),
    });
    assert.equal(await other.find('code-3'), undefined);
    await assert.rejects(async () => other.consume('code-3'), errors.InvalidGrant);
  });

  test('an expired row is not found and is swept', async () => {
    const store = createArtifactStore(database, 'gobank');
    const codes = createArtifactAdapter('AuthorizationCode', parts);
    await codes.upsert('code-4', { jti: 'code-4', grantId: 'grant-4' }, 60);
    const later = new Date(now.getTime() + 76_000);
    assert.equal(await store.find('AuthorizationCode', parts.hash('code-4'), later), undefined);
    assert.ok((await sweepArtifacts(database, later)) >= 1);
  });

  test('a sweep keeps up with more requests than fit into one batch', async () => {
    await database.query(
      `INSERT INTO oauth.artifacts (bank, model, id, payload, sealed, expires_at)
       SELECT 'gobank', 'ReplayDetection', 'old-' || number, '{}', false, $1::timestamptz FROM generate_series(1, 2500) AS number`,
      [now],
    );
    assert.ok((await sweepArtifacts(database, new Date(now.getTime() + 1))) >= 2_500);
  });

  test('a model this platform does not keep is a defect, not a silent store', () => {
    assert.throws(() => createArtifactAdapter('DeviceCode', parts), /does not keep/);
  });
});

test('N-135 a consent that ends by itself while its client is deleted keeps nobody from ending the others', async () => {
  const actor = { kind: 'participant', reference: 'client-1' } as const;
  const found = { bank: 'gobank', id: 'consent-1', participant: 'tpp-a', client: 'client-1', customer: 'customer-1' };
  const dates = { createdAt: now, changedAt: now, expiresAt: now, lastUsedAt: undefined };
  const consent: Consent = {
    ...found,
    ...dates,
    state: 'Authorised',
    scopes: [],
    accounts: [],
    authorizationDetails: [],
  };
  const ending = (code: string) => ({
    find: async () => consent,
    revoke: () => Promise.reject(new Refusal(code, 400, 'The consent cannot be revoked.')),
  });
  await endConsent(ending('consent_status_invalid'), 'gobank', 'consent-1', actor);
  const down = endConsent(ending('consent_store_unavailable'), 'gobank', 'consent-1', actor);
  await assert.rejects(down, { code: 'consent_store_unavailable' });
});
