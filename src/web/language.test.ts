import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseLanguage, dateInWords, timeInWords } from './language.ts';

test('language: what is not shipped falls back to English', () => {
  for (const header of [undefined, '', 'fr', '*', 'de;q=0', ';;;,,,', 'x'.repeat(10_000)])
    assert.equal(chooseLanguage(undefined, [], header), 'en', header);
});

test('language: the choice on the page comes before ui_locales, ui_locales before the browser', () => {
  assert.equal(chooseLanguage('en', ['de'], 'de'), 'en');
  assert.equal(chooseLanguage('xx', ['fr', 'de-CH'], 'en'), 'de');
  assert.equal(chooseLanguage(undefined, [], 'fr-CH, fr;q=0.9, en;q=0.2, de;q=0.7, *;q=0.5'), 'de');
  assert.equal(chooseLanguage(undefined, [], 'DE-at'), 'de');
});

test('language: dates and times are those of the zone and say which', () => {
  const at = new Date('2026-12-31T23:30:00Z');
  assert.equal(dateInWords(at, 'en', 'UTC'), '31 December 2026');
  assert.equal(dateInWords(at, 'de', 'Europe/Berlin'), '1. Januar 2027');
  assert.equal(timeInWords(at, 'en', 'UTC'), '23:30 UTC');
  assert.equal(timeInWords(at, 'de', 'Europe/Berlin'), '00:30 MEZ');
});
