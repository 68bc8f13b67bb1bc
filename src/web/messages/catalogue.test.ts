import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCatalogue, isMessageKey, languages, placeholdersOf } from './catalogue.ts';
import { de } from './de.ts';
import { en } from './en.ts';

test('texts: a text, language or placeholder that does not exist is refused with the path of its key', () => {
  const wrong: readonly [Record<string, Record<string, string>>, RegExp][] = [
    [{ de: { 'signIn.tilte': 'x' } }, /banks\.gobank\.texts\.de\.signIn\.tilte/],
    [{ fr: { 'signIn.title': 'x' } }, /banks\.gobank\.texts\.fr/],
    [{ en: { 'signIn.title': 'Hello {name}' } }, /banks\.gobank\.texts\.en\.signIn\.title: \{name\}/],
    [{ en: { toString: 'x' } }, /toString/],
  ];
  for (const [texts, message] of wrong) assert.throws(() => createCatalogue('banks.gobank.texts', texts), message);
});

test('texts: every language has every text with the same placeholders', () => {
  for (const [key, text] of Object.entries(en)) {
    assert.ok(isMessageKey(key));
    assert.deepEqual([...placeholdersOf(de[key])].sort(), [...placeholdersOf(text)].sort(), key);
    assert.notEqual(de[key].trim(), '', key);
  }
});

test('texts: a bank overrides one text of one language and nothing else', () => {
  const texts = createCatalogue('texts', { de: { 'signIn.title': 'Willkommen bei {bank}' } });
  assert.equal(texts('de')('signIn.title', { bank: 'Go Bank' }), 'Willkommen bei Go Bank');
  assert.equal(texts('en')('signIn.title', { bank: 'Go Bank' }), 'Sign in to Go Bank');
  assert.equal(texts('de')('signIn.submit'), 'Anmelden');
});

test('texts: a value that looks like a placeholder or a replacement pattern stays text', () => {
  const say = createCatalogue('texts')('en');
  assert.equal(say('signIn.title', { bank: '{bank} $& $1' }), 'Sign in to {bank} $& $1');
});

test('texts: two languages are shipped', () => assert.deepEqual(languages, ['en', 'de']));
