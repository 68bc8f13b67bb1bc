import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSecretHashing } from './secret-hash.ts';

const { hashSecret, verifySecret } = createSecretHashing();

test('LAB-08 a wrong, empty, shortened or overlong secret is not the secret', async () => {
  const hash = await hashSecret('correct horse battery staple');
  for (const wrong of ['', 'correct horse battery stapl', 'Correct horse battery staple', 'x'.repeat(100_000)])
    assert.equal(await verifySecret(wrong, hash), false);
});

test('LAB-08 a stored hash that is not ours is an error, also one that asks for much memory', async () => {
  const hash = await hashSecret('secret');
  const wrong = [
    '',
    'secret',
    hash.slice(1),
    `${hash}A`,
    hash.replace('$16384$', '$999999$'),
    hash.replace('$8$', '$64$'),
  ];
  for (const stored of wrong) await assert.rejects(verifySecret('secret', stored), /not one of ours/);
});

test('LAB-08 more callers than can wait are refused with 503; the others are answered', async () => {
  const hash = await hashSecret('secret');
  const answers = await Promise.allSettled(Array.from({ length: 70 }, () => verifySecret('secret', hash)));
  const refused = answers.filter((answer) => answer.status === 'rejected');
  assert.equal(refused.length, 4);
  for (const { reason } of refused) assert.equal(reason.code, 'secret_check_busy');
  assert.equal(answers.filter((answer) => answer.status === 'fulfilled' && answer.value).length, 66);
  assert.equal(await verifySecret('secret', hash), true);
});

test('LAB-08 a secret is kept as a salted, slow hash and recognised by it', async () => {
  const [one, two] = [await hashSecret('secret'), await hashSecret('secret')];
  assert.match(one, /^scrypt\$16384\$8\$1\$[\w-]{22}\$[\w-]{43}$/);
  assert.notEqual(one, two);
  assert.equal(await verifySecret('secret', one), true);
  assert.equal(await verifySecret('secret', two), true);
  await assert.rejects(hashSecret('x'.repeat(1_025)), /too long/);
});
