import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Type } from 'typebox';
import { temporaryDirectory } from '../../test/support/temporary.ts';
import { environment, FilePath, loadConfiguration, readSecret, SecretReference } from './config.ts';

const closed = { additionalProperties: false } as const;
const Schema = Type.Object(
  {
    banks: Type.Array(
      Type.Object(
        {
          id: Type.String({ pattern: '^[a-z]+$', description: 'First segment of every path.' }),
          issuer: Type.String({ minLength: 1 }),
          tokens: Type.Union([Type.Literal('opaque'), Type.Literal('jwt')], { default: 'opaque' }),
          logo: Type.Optional(FilePath('Path of a picture.')),
          secret: Type.Optional(SecretReference('The secret of the bank.')),
        },
        closed,
      ),
      { minItems: 1 },
    ),
    port: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  closed,
);

const BANK = { id: 'a', issuer: 'https://a.example' };

async function load(context: TestContext, content: unknown, name = 'configuration.json') {
  const directory = await temporaryDirectory(context);
  const file = join(directory, name);
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return { directory, settings: await loadConfiguration(Schema, file) };
}

test('each wrong key is named by its path in a sentence', async (context) => {
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [
      { banks: [{ ...BANK, isuer: 'x' }] },
      /configuration\.json: banks\[0\]\.isuer: there is no such key; known are id, issuer, tokens/,
    ],
    [{ banks: [{ id: 'a' }] }, /banks\[0\]\.issuer: is missing/],
    [{ banks: [BANK, { ...BANK, id: 'A1' }] }, /banks\[1\]\.id: must match pattern .* \(First segment of every path\)/],
    [{ banks: [{ ...BANK, tokens: 'both' }] }, /banks\[0\]\.tokens: must be one of "opaque", "jwt"/],
    [{ banks: [{ ...BANK, issuer: 7 }] }, /banks\[0\]\.issuer: must be string/],
    [{ banks: [BANK], port: '1' }, /port: must be integer/],
    [{ banks: [] }, /banks: must NOT have fewer than 1 items/],
    [
      { banks: [{ ...BANK, secret: 'plain' }] },
      /banks\[0\]\.secret: has none of the forms allowed here \(The secret of the bank\)/,
    ],
    [{ banks: [BANK], 'a/b~c': 1 }, /a\/b~c: there is no such key/],
    [[], /the whole: must be object/],
    [{}, /banks: is missing/],
  ];
  for (const [content, message] of cases)
    await assert.rejects(load(context, content), { message }, JSON.stringify(content));
});

test('every wrong key is told, not the first alone', async (context) => {
  const wrong = { banks: [{ ...BANK, isuer: 1 }], prot: 1 };
  await assert.rejects(load(context, wrong), /prot: there is no such key.*; banks\[0\]\.isuer: there is no such key/);
});

test('a key that comes twice, and what is no JSON or YAML, is refused', async (context) => {
  const twice = '{"banks":[{"id":"a","id":"b","issuer":"x"}]}';
  await assert.rejects(load(context, twice), /keys must be unique/);
  await assert.rejects(load(context, 'banks: [\n', 'c.yaml'), /c\.yaml: /);
  await assert.rejects(load(context, 'port: 1\nport: 2\n', 'c.yaml'), /keys must be unique/);
  await assert.rejects(load(context, '{ banks: [] }'), /configuration\.json: .*JSON/);
  await assert.rejects(load(context, 'a: !!js/function "x"\n', 'c.yaml'), /c\.yaml: /);
  await assert.rejects(loadConfiguration(Schema, '/nowhere/c.json'), /\/nowhere\/c\.json cannot be read/);
});

test('JSON and YAML say the same; defaults are filled in', async (context) => {
  const yaml = await load(context, 'banks:\n  - id: a\n    issuer: https://a.example\n', 'c.yaml');
  const json = await load(context, { banks: [BANK] });
  assert.deepEqual(yaml.settings, { banks: [{ ...BANK, tokens: 'opaque' }] });
  assert.deepEqual(json.settings, yaml.settings);
});

test('what was loaded cannot be changed', async (context) => {
  const { settings } = await load(context, { banks: [BANK] });
  assert.throws(() => Object.assign(settings, { port: 1 }), TypeError);
  assert.throws(() => Object.assign(settings.banks[0] ?? {}, { id: 'b' }), TypeError);
});

test('file paths mean the place of the configuration file', async (context) => {
  const banks = [
    { ...BANK, logo: 'logo.svg', secret: { file: '../secret' } },
    { ...BANK, logo: '/etc/logo.svg' },
  ];
  const { settings, directory } = await load(context, { banks });
  const [first, second] = settings.banks;
  assert.equal(first?.logo, join(directory, 'logo.svg'));
  assert.deepEqual(first?.secret, { file: join(directory, '..', 'secret') });
  assert.equal(second?.logo, '/etc/logo.svg');
});

test('a secret comes from its file or variable, and its absence is told without it', async (context) => {
  const file = join(await temporaryDirectory(context), 'secret');
  await assert.rejects(readSecret({ file }), /secret cannot be read/);
  await writeFile(file, '\n');
  await assert.rejects(readSecret({ file }), /is empty/);
  await writeFile(file, 'p a s s \n');
  assert.equal(await readSecret({ file }), 'p a s s ');
  await assert.rejects(
    readSecret({ env: 'PORTCULLIS_TEST_SECRET' }),
    /set the environment variable PORTCULLIS_TEST_SECRET/,
  );
  process.env.PORTCULLIS_TEST_SECRET = 'value';
  context.after(() => delete process.env.PORTCULLIS_TEST_SECRET);
  assert.equal(await readSecret({ env: 'PORTCULLIS_TEST_SECRET' }), 'value');
});

test('the database comes from DATABASE_URL, or from the file that is named, and must be PostgreSQL', async (context) => {
  const before = process.env.DATABASE_URL;
  context.after(() => {
    delete process.env.DATABASE_URL_FILE;
    if (before === undefined) delete process.env.DATABASE_URL;
    else process.env.DATABASE_URL = before;
  });
  process.env.DATABASE_URL = 'mysql://user:pass@db/x';
  assert.throws(environment, (error: Error) => /postgres:\/\//.test(error.message) && !error.message.includes('pass'));
  process.env.DATABASE_URL = '';
  assert.equal(environment().databaseUrl, undefined);
  const file = join(await temporaryDirectory(context), 'url');
  await writeFile(file, 'postgresql://db/portcullis\n');
  process.env.DATABASE_URL_FILE = file;
  assert.equal(environment().databaseUrl, 'postgresql://db/portcullis');
});
