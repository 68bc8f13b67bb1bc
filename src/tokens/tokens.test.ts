import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { openTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { actionsOf, createRecordingAudit } from '../../test/support/recording-audit.ts';
import { createSigningVault } from '../../test/support/signing-vault.ts';
import type { Actor } from '../audit/index.ts';
import { epochSeconds, secondsAfter } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { randomToken, uuid } from '../platform/random.ts';
import { Refusal } from '../platform/refusal.ts';
import type { TokenFacts, TokenResolution } from './token.ts';
import { createTokens, type Tokens } from './tokens.ts';

const BANK = 'gobank';
const ISSUER = 'https://localhost:8443/gobank';
const AUDIENCE = 'https://localhost:8444/gobank';
const START = new Date('2026-01-01T10:00:00.000Z');
const END = secondsAfter(START, 300);
const THUMBPRINT = 'x'.repeat(43);
const STAFF: Actor = { kind: 'staff', reference: 'staff-1', interaction: 'interaction-1' };
const CUSTOMER: Actor = { kind: 'customer', reference: 'customer-1' };

const audit = createRecordingAudit();
let now = START;
const clock = { now: () => now };
const vault = createSigningVault(clock);
const warnings: string[] = [];
const log = { warn: (_facts: unknown, message: string) => void warnings.push(message) };
let database: TestDatabase;
let queries = 0;
let tokens: Tokens;

before(async () => {
  database = await openTestDatabase();
  const counting: Database = {
    ...database,
    query: (text, values) => {
      queries += 1;
      return database.query(text, values);
    },
  };
  tokens = await createTokens({ database: counting, audit, vault, clock, log });
});
after(async () => {
  await tokens.close();
  await database.close();
});
beforeEach(() => {
  now = START;
  audit.events.length = 0;
  audit.failure = undefined;
  vault.failure = undefined;
  warnings.length = 0;
});

function factsOf(changes: Partial<TokenFacts> = {}): TokenFacts {
  return {
    bank: BANK,
    format: 'opaque',
    kind: 'customer',
    client: 'client-1',
    participant: 'financroo',
    customer: 'customer-1',
    subject: 'pairwise-1',
    scopes: ['accounts'],
    consent: 'consent-1',
    audience: AUDIENCE,
    thumbprint: THUMBPRINT,
    issuedAt: START,
    expiresAt: END,
    ...changes,
  };
}

const PARTICIPANT = { kind: 'participant', customer: undefined, subject: 'client-1', consent: undefined } as const;

async function issueOpaque(changes: Partial<TokenFacts> = {}): Promise<string> {
  const token = randomToken();
  await tokens.save(token, factsOf(changes), { jti: token, kind: 'AccessToken', clientId: 'client-1' });
  return token;
}

function claimsOf(jti: string, facts: TokenFacts): Record<string, unknown> {
  return {
    iss: ISSUER,
    aud: facts.audience,
    sub: facts.subject,
    jti,
    iat: epochSeconds(facts.issuedAt),
    exp: epochSeconds(facts.expiresAt),
    client_id: facts.client,
    ...(facts.scopes.length === 0 ? {} : { scope: facts.scopes.join(' ') }),
    ...(facts.consent === undefined ? {} : { consent_id: facts.consent }),
    ...(facts.thumbprint === undefined ? {} : { cnf: { 'x5t#S256': facts.thumbprint } }),
  };
}

async function issueJwt(
  changes: Partial<TokenFacts> = {},
  claims: Readonly<Record<string, unknown>> = {},
  type = 'at+jwt',
): Promise<{ token: string; jti: string }> {
  const jti = randomToken();
  const facts = factsOf({ format: 'jwt', ...changes });
  await tokens.save(jti, facts, undefined);
  return { jti, token: await vault.signJwt(facts.bank, type, { ...claimsOf(jti, facts), ...claims }) };
}

const resolve = (token: string, room: Tokens = tokens): Promise<TokenResolution> => room.resolve(BANK, ISSUER, token);
const stateOf = async (token: string, room: Tokens = tokens) => (await resolve(token, room)).state;

async function issue(format: 'opaque' | 'jwt', changes: Partial<TokenFacts> = {}): Promise<string> {
  return format === 'opaque' ? issueOpaque(changes) : (await issueJwt(changes)).token;
}

function refuses(code: string, status: number) {
  return (error: unknown): boolean => error instanceof Refusal && error.code === code && error.status === status;
}

/** Waits until everything told so far has arrived: notifications come in order, on their own time. */
async function delivered(): Promise<void> {
  const mark = uuid();
  const { promise, resolve: done } = Promise.withResolvers<void>();
  const unlisten = await database.listen('tokens_denied', (payload) => payload.includes(mark) && done());
  await database.query('SELECT pg_notify($1, $2)', ['tokens_denied', JSON.stringify({ bank: mark })]);
  await promise;
  await unlisten();
}

for (const format of ['opaque', 'jwt'] as const) {
  test(`LAB-02 a customer token and a participant token resolve to what was issued (${format})`, async () => {
    const customer = await resolve(await issue(format));
    assert.deepEqual(customer, { state: 'active', facts: factsOf({ format }) });
    const participant = await resolve(await issue(format, PARTICIPANT));
    assert.deepEqual(participant, { state: 'active', facts: factsOf({ format, ...PARTICIPANT }) });
  });

  test(`N-75 WSN-39 a token is expired from its very end, remembered or not (${format})`, async () => {
    const [known, fresh] = [await issue(format), await issue(format)];
    now = secondsAfter(END, -1);
    assert.equal(await stateOf(known), 'active');
    now = END;
    assert.equal(await stateOf(known), 'expired');
    assert.deepEqual(await resolve(fresh), { state: 'expired', facts: factsOf({ format }) });
  });

  test(`N-75 WSN-39 a denied token is revoked at once, also after its end (${format})`, async () => {
    const token = await issue(format);
    assert.equal(await stateOf(token), 'active');
    assert.equal(await tokens.deny({ bank: BANK, token }, STAFF), 1);
    assert.deepEqual(await resolve(token), { state: 'revoked', facts: factsOf({ format }) });
    assert.equal(await stateOf(token), 'revoked');
    now = secondsAfter(END, 60);
    assert.equal(await stateOf(token), 'revoked');
  });

  test(`N-73 denying what is revoked, expired, unknown or no token at all changes and tells nothing (${format})`, async () => {
    const [revoked, expired] = [await issue(format), await issue(format)];
    await tokens.deny({ bank: BANK, token: revoked }, STAFF);
    now = END;
    audit.events.length = 0;
    for (const token of [revoked, expired, randomToken(), 'a.b', 'x=', 'e30.e30.AA'])
      assert.equal(await tokens.deny({ bank: BANK, token }, STAFF), 0);
    assert.deepEqual(audit.events, []);
    assert.equal(await stateOf(expired), 'expired');
  });

  test(`the second look asks nobody (${format})`, async () => {
    const token = await issue(format);
    await resolve(token);
    const before = [queries, vault.verifications()];
    for (let call = 0; call < 10; call += 1) assert.equal(await stateOf(token), 'active');
    assert.deepEqual([queries, vault.verifications()], before);
  });

  test(`a remembered token is worth nothing at another bank or issuer (${format})`, async () => {
    const token = await issue(format);
    assert.equal(await stateOf(token), 'active');
    assert.equal((await tokens.resolve('albion', ISSUER, token)).state, 'invalid');
    if (format === 'jwt') assert.equal((await tokens.resolve(BANK, 'https://elsewhere', token)).state, 'invalid');
  });
}

test('CLD-31 N-40 an opaque token nobody issued is invalid', async () => {
  const token = await issueOpaque();
  const unknown = [randomToken(), token.slice(1), `${token}A`, token.toLowerCase(), `${token}=`, '', 'x'.repeat(9_000)];
  for (const text of unknown) assert.equal(await stateOf(text), 'invalid', text.slice(0, 50));
});

test('N-40 tokens with - and _ are found, with padding refused, in both formats', async () => {
  const opaque = `-_${randomToken()}_-`;
  await tokens.save(opaque, factsOf(), {});
  assert.equal(await stateOf(opaque), 'active');
  assert.deepEqual(await resolve(`${opaque}=`), { state: 'invalid', detail: 'malformed' });
  let { token } = await issueJwt();
  while (!/-/.test(token) || !/_/.test(token)) ({ token } = await issueJwt());
  assert.equal(await stateOf(token), 'active');
  assert.deepEqual(await resolve(`${token}=`), { state: 'invalid', detail: 'malformed' });
  const [header, claims, signature] = token.split('.');
  assert.deepEqual(await resolve(`${header}=.${claims}.${signature}`), { state: 'invalid', detail: 'malformed' });
});

test('the id of a self-contained token is no opaque token', async () => {
  const { jti, token } = await issueJwt();
  assert.equal(await stateOf(jti), 'invalid');
  assert.equal(await tokens.findPayload(BANK, jti), undefined);
  assert.equal(await stateOf(token), 'active');
});

test('LAB-22 WSN-39 an altered, foreign, unsigned or mistyped JWT is invalid', async () => {
  const { token, jti } = await issueJwt();
  const [header = '', claims = '', signature = ''] = token.split('.');
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const decoded: unknown = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8'));
  const richer = encode({ ...(typeof decoded === 'object' ? decoded : {}), scope: 'accounts payments.create' });
  const bad = [
    `${header}.${richer}.${signature}`,
    `${header}.${claims}.${'A'.repeat(86)}`,
    `${encode({ alg: 'none', typ: 'at+jwt' })}.${claims}.${signature}`,
    `${encode({ alg: 'ES256', typ: 'at+jwt', kid: 'unknown' })}.${claims}.${signature}`,
    await vault.signJwt('albion', 'at+jwt', claimsOf(jti, factsOf({ format: 'jwt' }))),
    (await issueJwt({}, {}, 'JWT')).token,
    (await issueJwt({}, { iss: 'https://elsewhere' })).token,
    (await issueJwt({}, { nbf: epochSeconds(START) + 60 })).token,
  ];
  for (const text of bad) assert.equal(await stateOf(text), 'invalid');
  assert.equal(await stateOf(token), 'active');
});

test('LAB-22 a JWT that the bank signed but never issued is invalid', async () => {
  const facts = factsOf({ format: 'jwt' });
  const unissued = await vault.signJwt(BANK, 'at+jwt', claimsOf(randomToken(), facts));
  assert.deepEqual(await resolve(unissued), { state: 'invalid', detail: 'unknown' });
  const { jti: _jti, ...nameless } = claimsOf(randomToken(), facts);
  assert.deepEqual(await resolve(await vault.signJwt(BANK, 'at+jwt', nameless)), {
    state: 'invalid',
    detail: 'claim_missing',
  });
  const opaque = await issueOpaque();
  const wrapped = await vault.signJwt(BANK, 'at+jwt', claimsOf(opaque, facts));
  assert.deepEqual(await resolve(wrapped), { state: 'invalid', detail: 'unknown' });
});

test('LAB-22 LAB-23 WSN-46 a JWT that contradicts its row is invalid, and we are told', async () => {
  const contradictions: readonly Readonly<Record<string, unknown>>[] = [
    { client_id: 'client-2' },
    { scope: 'accounts payments.create' },
    { scope: undefined },
    { cnf: { 'x5t#S256': 'y'.repeat(43) } },
    { cnf: undefined },
    { aud: 'https://elsewhere' },
    { consent_id: 'consent-2' },
  ];
  for (const claims of contradictions) {
    const { token } = await issueJwt({}, claims);
    assert.equal(await stateOf(token), 'invalid', JSON.stringify(claims));
  }
  assert.equal(warnings.length, contradictions.length);
});

test('LAB-23 a JWT issued without scope is active without scopes', async () => {
  const { token } = await issueJwt({ scopes: [] });
  assert.deepEqual(await resolve(token), { state: 'active', facts: factsOf({ format: 'jwt', scopes: [] }) });
});

test('LAB-22 a new signing key is accepted without restart, and the old one during the overlap', async () => {
  const { token: old } = await issueJwt();
  await vault.rotate(BANK, STAFF);
  const { token: young } = await issueJwt();
  assert.equal(await stateOf(old), 'active');
  assert.equal(await stateOf(young), 'active');
});

test('a JWT ends at the earlier of its own claim and its row', async () => {
  const { token } = await issueJwt({}, { exp: epochSeconds(START) + 100 });
  assert.equal(await stateOf(token), 'active');
  now = secondsAfter(START, 100);
  assert.equal(await stateOf(token), 'expired');
  now = START;
  const { token: longer } = await issueJwt({}, { exp: epochSeconds(END) + 100 });
  assert.equal(await stateOf(longer), 'active');
  now = END;
  assert.equal(await stateOf(longer), 'expired');
});

test('an expired JWT that was never issued is invalid, not expired', async () => {
  const unissued = await vault.signJwt(BANK, 'at+jwt', claimsOf(randomToken(), factsOf({ format: 'jwt' })));
  now = secondsAfter(END, 1);
  assert.equal(await stateOf(unissued), 'invalid');
});

test('a vault that cannot judge, or a database that fails, is no verdict about a token', async () => {
  const { token } = await issueJwt();
  vault.failure = new Refusal('kms_unavailable', 503, 'The keys cannot be reached.');
  await assert.rejects(resolve(token), refuses('kms_unavailable', 503));
  vault.failure = new Error('defect');
  await assert.rejects(resolve(token), refuses('token_store_unavailable', 503));
  vault.failure = undefined;
  assert.equal(await stateOf(token), 'active');
  const gone: Database = {
    ...database,
    query: () => Promise.reject(new Error('connection refused')),
    transaction: () => Promise.reject(new Error('connection refused')),
  };
  const broken = await createTokens({ database: gone, audit, vault, clock });
  const opaque = await issueOpaque();
  await assert.rejects(resolve(opaque, broken), refuses('token_store_unavailable', 503));
  await assert.rejects(broken.findPayload(BANK, opaque), refuses('token_store_unavailable', 503));
  await assert.rejects(broken.deny({ bank: BANK, token: opaque }, STAFF), refuses('token_store_unavailable', 503));
  await assert.rejects(broken.save(randomToken(), factsOf(), {}), refuses('token_store_unavailable', 503));
  await broken.close();
});

test('N-205 a denial of a whole bank, or with a blank member, is refused and kills nothing', async () => {
  const token = await issueOpaque();
  await assert.rejects(tokens.deny({ bank: BANK }, STAFF), refuses('field_missing', 400));
  await assert.rejects(tokens.deny({ bank: BANK, client: '' }, STAFF), refuses('field_invalid', 400));
  await assert.rejects(
    tokens.deny({ bank: BANK, client: 'client-1', customer: ' ' }, STAFF),
    refuses('field_invalid', 400),
  );
  await assert.rejects(tokens.list({ bank: BANK, client: '' }), refuses('field_invalid', 400));
  assert.equal(await stateOf(token), 'active');
});

const CHOICES = [
  { consent: 'consent-x' },
  { client: 'client-x' },
  { participant: 'paymate' },
  { customer: 'customer-x' },
  { thumbprint: 'z'.repeat(43) },
] as const;

for (const choice of CHOICES) {
  const [member] = Object.keys(choice);
  test(`LAB-20 N-73 N-203 denying by ${member} kills what matches in both formats, remembered or not, and nothing else`, async () => {
    const [opaque, jwt, unseen] = [
      await issueOpaque(choice),
      (await issueJwt(choice)).token,
      await issueOpaque(choice),
    ];
    const [other, elsewhere] = [await issueOpaque(), await issueOpaque({ ...choice, bank: 'albion' })];
    for (const token of [opaque, jwt, other]) assert.equal(await stateOf(token), 'active');
    assert.equal((await tokens.list({ bank: BANK, ...choice })).length, 3);
    assert.equal(await tokens.deny({ bank: BANK, ...choice }, STAFF), 3);
    for (const token of [opaque, jwt, unseen]) assert.equal(await stateOf(token), 'revoked');
    assert.equal(await stateOf(other), 'active');
    assert.equal((await tokens.resolve('albion', ISSUER, elsewhere)).state, 'active');
    assert.deepEqual(await tokens.list({ bank: BANK, ...choice }), []);
    assert.equal(await tokens.deny({ bank: BANK, ...choice }, STAFF), 0);
    await tokens.deny({ bank: 'albion', ...choice }, STAFF);
  });
}

test('the members of a denial combine: all must match', async () => {
  const choice = { client: 'client-and', consent: 'consent-and' };
  const [both, one] = [await issueOpaque(choice), await issueOpaque({ client: 'client-and' })];
  assert.equal(await tokens.deny({ bank: BANK, ...choice }, STAFF), 1);
  assert.deepEqual([await stateOf(both), await stateOf(one)], ['revoked', 'active']);
});

test('N-74 a token denied in the name of another client stays alive', async () => {
  for (const format of ['opaque', 'jwt'] as const) {
    const token = await issue(format);
    assert.equal(await tokens.deny({ bank: BANK, token, client: 'client-2' }, STAFF), 0);
    assert.equal(await tokens.deny({ bank: 'albion', token }, STAFF), 0);
    assert.equal(await stateOf(token), 'active');
  }
});

test('a forged JWT that names the id of another’s token denies nothing', async () => {
  const { token, jti } = await issueJwt();
  const forged = await vault.signJwt('albion', 'at+jwt', claimsOf(jti, factsOf({ format: 'jwt' })));
  assert.equal(await tokens.deny({ bank: BANK, token: forged }, STAFF), 0);
  assert.equal(await stateOf(token), 'active');
});

test('the engine denies a self-contained token by its id', async () => {
  const { token, jti } = await issueJwt();
  assert.equal(await tokens.deny({ bank: BANK, token: jti }, STAFF), 1);
  assert.equal(await stateOf(token), 'revoked');
});

test('20 parallel denials count each token once', async () => {
  for (let index = 0; index < 3; index += 1) await issueOpaque({ consent: 'consent-parallel' });
  const denial = { bank: BANK, consent: 'consent-parallel' };
  const counts = await Promise.all(Array.from({ length: 20 }, () => tokens.deny(denial, STAFF)));
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    3,
  );
});

test('N-75 a denial while an older answer is on its way never leaves an active one behind', async () => {
  const gate = Promise.withResolvers<void>();
  const read = Promise.withResolvers<void>();
  let slow = true;
  const slowed: Database = {
    ...database,
    query: async (text, values) => {
      const rows = await database.query(text, values);
      if (slow) {
        slow = false;
        read.resolve();
        await gate.promise;
      }
      return rows;
    },
  };
  const room = await createTokens({ database: slowed, audit, vault, clock });
  const token = await issueOpaque();
  const before = resolve(token, room);
  await read.promise;
  await room.deny({ bank: BANK, client: 'client-1', token }, STAFF);
  assert.equal(await stateOf(token, room), 'revoked', 'asked after the denial, not sharing the old call');
  gate.resolve();
  assert.equal((await before).state, 'active', 'asked before the denial');
  assert.equal(await stateOf(token, room), 'revoked');
  await room.close();
});

test('N-75 denied in one process, revoked in the other once it is told, and the rest is still remembered', async () => {
  const other = await createTokens({ database, audit, vault, clock });
  const choice = { consent: 'consent-told' };
  const [dead, alive] = [await issueOpaque(choice), (await issueJwt()).token];
  for (const token of [dead, alive]) assert.equal(await stateOf(token, other), 'active');
  await tokens.deny({ bank: BANK, ...choice }, STAFF);
  await delivered();
  const before = vault.verifications();
  assert.equal(await stateOf(dead, other), 'revoked');
  assert.equal(await stateOf(alive, other), 'active');
  assert.equal(vault.verifications(), before);
  await other.close();
});

test('N-75 while notifications do not arrive an answer lives one second at most', async () => {
  const deaf = { ...database, notificationsAlive: () => false, listen: async () => async () => undefined };
  const other = await createTokens({ database: deaf, audit, vault, clock });
  const token = await issueOpaque();
  await resolve(token, other);
  await tokens.deny({ bank: BANK, token }, STAFF);
  now = new Date(START.getTime() + 999);
  assert.equal(await stateOf(token, other), 'active');
  now = secondsAfter(START, 1);
  assert.equal(await stateOf(token, other), 'revoked');
  await other.close();
});

test('an answer is read again after half a minute even when notifications seem to arrive', async () => {
  const other = await createTokens({
    database: { ...database, listen: async () => async () => undefined },
    audit,
    vault,
    clock,
  });
  const token = await issueOpaque();
  await resolve(token, other);
  await tokens.deny({ bank: BANK, token }, STAFF);
  now = secondsAfter(START, 30);
  assert.equal(await stateOf(token, other), 'revoked');
  await other.close();
});

test('when notifications may have been missed, or say nothing clear, everything is read again', async () => {
  let lose: (() => void) | undefined;
  let tell: ((payload: string) => void) | undefined;
  const listen: Database['listen'] = async (_channel, receive, lost) => {
    tell = receive;
    lose = lost;
    return async () => undefined;
  };
  const other = await createTokens({ database: { ...database, listen }, audit, vault, clock });
  const reasons = [() => lose?.(), () => tell?.('not json'), () => tell?.('{}'), () => tell?.(`{"bank":"${BANK}"}`)];
  for (const reason of reasons) {
    const token = await issueOpaque();
    assert.equal(await stateOf(token, other), 'active');
    await tokens.deny({ bank: BANK, token }, STAFF);
    assert.equal(await stateOf(token, other), 'active', 'nobody told');
    reason();
    assert.equal(await stateOf(token, other), 'revoked');
  }
  await other.close();
});

test('a token that was invalid is active as soon as it is issued', async () => {
  const token = randomToken();
  assert.equal(await stateOf(token), 'invalid');
  await tokens.save(token, factsOf(), {});
  assert.equal(await stateOf(token), 'active');
});

test('a token whose event cannot be written is neither issued nor denied', async () => {
  const token = randomToken();
  const alive = await issueOpaque();
  audit.failure = new Refusal('audit_unavailable', 503, 'The audit trail cannot be written.');
  await assert.rejects(tokens.save(token, factsOf(), {}), refuses('audit_unavailable', 503));
  await assert.rejects(tokens.deny({ bank: BANK, token: alive }, STAFF), refuses('audit_unavailable', 503));
  assert.equal(await stateOf(token), 'invalid');
  assert.equal(await stateOf(alive), 'active');
});

test('LAB-02 what contradicts itself is not issued', async () => {
  const wrong: readonly (readonly [string, TokenFacts, Record<string, unknown> | undefined])[] = [
    [randomToken(), factsOf({ customer: undefined }), {}],
    [randomToken(), factsOf({ ...PARTICIPANT, customer: 'customer-1' }), {}],
    [randomToken(), factsOf({ ...PARTICIPANT, subject: 'pairwise-1' }), {}],
    [randomToken(), factsOf(), undefined],
    [randomToken(), factsOf({ format: 'jwt' }), {}],
    ['', factsOf(), {}],
    ['with padding=', factsOf(), {}],
    ['x'.repeat(257), factsOf(), {}],
  ];
  for (const [id, facts, payload] of wrong) {
    await assert.rejects(tokens.save(id, facts, payload), (error) => !(error instanceof Refusal));
    if (id !== '') assert.equal(await stateOf(id), 'invalid');
  }
  assert.deepEqual(audit.events, []);
});

test('an id is issued once', async () => {
  const token = await issueOpaque();
  await assert.rejects(
    tokens.save(token, factsOf({ client: 'client-2' }), {}),
    refuses('token_store_unavailable', 503),
  );
  const resolution = await resolve(token);
  assert.equal(resolution.state === 'active' ? resolution.facts.client : undefined, 'client-1');
});

test('CLD-31 no row, event or warning holds a token or its id', async () => {
  const opaque = await issueOpaque();
  const { token, jti } = await issueJwt();
  await tokens.deny({ bank: BANK, token: opaque }, CUSTOMER);
  await tokens.deny({ bank: BANK, token }, STAFF);
  const rows = await database.query('SELECT * FROM tokens.access_tokens');
  const kept = JSON.stringify([rows, audit.events, warnings]);
  assert.ok(rows.length >= 2);
  for (const secret of [opaque, jti, token]) assert.equal(kept.includes(secret), false);
  await assert.rejects(
    tokens
      .save(randomToken(9), factsOf(), { jti: 'x', copy: opaque })
      .then(() => tokens.save(opaque, factsOf(), { copy: opaque })),
    /repeats the token/,
  );
});

test('CLD-49 events tell what was issued and denied, by whom, for which consent, and never name the customer', async () => {
  await issueOpaque({ consent: 'consent-told-of' });
  await tokens.deny({ bank: BANK, consent: 'consent-told-of' }, STAFF);
  await issueOpaque({ customer: 'customer-y' });
  await tokens.deny({ bank: BANK, customer: 'customer-y' }, { kind: 'customer', reference: 'customer-y' });
  assert.deepEqual(actionsOf(audit), ['token.issued', 'token.denied', 'token.issued', 'token.denied']);
  const [issued, denied, , byCustomer] = audit.events;
  assert.equal(issued?.consent, 'consent-told-of');
  assert.equal(issued?.client, 'client-1');
  assert.equal(denied?.consent, 'consent-told-of');
  assert.equal(denied?.interaction, 'interaction-1');
  assert.deepEqual(denied?.facts, {
    tokens: 1,
    by: 'consent',
    thumbprint: null,
    actor: 'staff',
    actorReference: 'staff-1',
  });
  assert.equal(byCustomer?.facts?.by, 'customer');
  assert.equal(byCustomer?.subject?.length, 43);
  assert.equal(JSON.stringify(audit.events).includes('customer-y'), false);
});

test('the engine gets its payload back as it was, for live opaque tokens alone', async () => {
  const token = randomToken();
  const payload = {
    jti: token,
    kind: 'AccessToken',
    clientId: 'client-1',
    extra: { participant_id: 'financroo' },
    exp: 1,
  };
  await tokens.save(token, factsOf(), payload);
  assert.deepEqual(await tokens.findPayload(BANK, token), payload);
  for (const text of ['', 'unknown', `${token}=`, 'x'.repeat(9_000)])
    assert.equal(await tokens.findPayload(BANK, text), undefined);
  assert.equal(await tokens.findPayload('albion', token), undefined);
  now = END;
  assert.equal(await tokens.findPayload(BANK, token), undefined);
  now = START;
  await tokens.deny({ bank: BANK, token }, STAFF);
  assert.equal(await tokens.findPayload(BANK, token), undefined);
});

test('lists are of live tokens, newest first', async () => {
  const client = 'client-list';
  for (const seconds of [1, 3, 2]) {
    const issuedAt = secondsAfter(START, seconds);
    await issueOpaque({ client, issuedAt, expiresAt: secondsAfter(issuedAt, 10) });
  }
  const ages = async () =>
    (await tokens.list({ bank: BANK, client })).map(({ issuedAt }) => (issuedAt.getTime() - START.getTime()) / 1000);
  assert.deepEqual(await ages(), [3, 2, 1]);
  now = secondsAfter(START, 12);
  assert.deepEqual(await ages(), [3]);
  assert.deepEqual(await tokens.list({ bank: 'albion', client }), []);
});

test('N-75 sweeping removes what expired an hour ago: until then expired is told apart from unknown', async () => {
  const token = await issueOpaque();
  now = secondsAfter(END, 3_600);
  await tokens.sweep();
  assert.equal(await stateOf(token), 'expired');
  now = secondsAfter(END, 3_601);
  const young = await issueOpaque({ expiresAt: secondsAfter(now, 60) });
  await tokens.sweep();
  assert.equal(await stateOf(token), 'invalid');
  assert.equal(await stateOf(young), 'active');
});
