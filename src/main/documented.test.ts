import assert from 'node:assert/strict';
import { glob, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import { loadConfiguration } from '../platform/config.ts';
import { isRecord } from '../platform/json.ts';
import { regimes } from '../regimes/index.ts';
import { checkSettings, Settings } from './settings.ts';

const DOCS = join(import.meta.dirname, '..', '..', 'docs');
let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'portcullis-documented-'));
});
after(() => rm(directory, { recursive: true, force: true }));

/** Pieces of configuration in a text: whole ones and pieces in YAML, pieces of a bank in JSON, and what stands before a proxy's. */
function snippetsOf(text: string): readonly unknown[] {
  const yaml = [...text.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, snippet = '']) => parse(snippet));
  const json = [...text.matchAll(/^```json\n("\w+": \{.*?)^```/gms)].map(([, snippet]) => parse(`{${snippet}}`));
  const head = [...text.matchAll(/^#\n((?:# {3,}.*\n)+)/gm)].map(([, lines = '']) =>
    parse(lines.replaceAll(/^#/gm, '')),
  );
  return [...yaml, ...json, ...head];
}

/** A piece laid over what is there; of two lists the first items belong together. */
function laidOver(base: unknown, piece: unknown): unknown {
  if (Array.isArray(base) && Array.isArray(piece) && isRecord(piece[0])) return [laidOver(base[0], piece[0])];
  if (!isRecord(base) || !isRecord(piece)) return piece;
  const merged = Object.entries(piece).map(([key, value]) => [key, laidOver(base[key], value)] as const);
  return { ...base, ...Object.fromEntries(merged) };
}

/** A piece that has none of the file's own keys is one of a bank. */
function whole(base: unknown, piece: unknown): unknown {
  const placed = isRecord(piece) && ('doors' in piece || 'banks' in piece);
  return laidOver(base, placed ? piece : { banks: [piece] });
}

test('every piece of configuration in the documentation is taken', async () => {
  const [smallest] = snippetsOf(await readFile(join(DOCS, 'operate', 'README.md'), 'utf8'));
  let count = 0;
  for await (const name of glob('{operate,integrate}/**/*.{md,conf,cfg}', { cwd: DOCS })) {
    for (const piece of snippetsOf(await readFile(join(DOCS, name), 'utf8'))) {
      count += 1;
      const file = join(directory, 'portcullis.json');
      await writeFile(file, JSON.stringify(whole(smallest, piece)));
      const settings = await loadConfiguration(Settings, file).catch((cause: unknown) =>
        assert.fail(`${name}: ${cause}`),
      );
      assert.doesNotThrow(() => checkSettings(settings, regimes), name);
    }
  }
  assert.ok(count >= 9, `${count} pieces`);
});

test('SCR-12 the place to report problems to is https or mailto; anything else stops the start with the path of the key', async () => {
  const [smallest] = snippetsOf(await readFile(join(DOCS, 'operate', 'README.md'), 'utf8'));
  const file = join(directory, 'portcullis.json');
  const started = async (reportProblem: string) => {
    await writeFile(file, JSON.stringify(whole(smallest, { reportProblem })));
    checkSettings(await loadConfiguration(Settings, file), regimes);
  };
  const wrong = [
    '',
    'http://a.example',
    'javascript:alert(1)',
    'help@a.example',
    'https://u:p@a.example',
    'https://a b',
  ];
  const mails = [
    'mailto:',
    'mailto:a@b.example?cc=c@d.example',
    'mailto:a@b.example,c@d.example',
    'mailto:a b@c.example',
  ];
  for (const one of [...wrong, ...mails, 'https://[', 'https://a.example:99999'])
    await assert.rejects(started(one), /banks(\[0\]|\/0)[./]reportProblem/, one);
  for (const one of ['https://a.example/report?topic=consent', 'mailto:open-banking@a.example']) await started(one);
});
