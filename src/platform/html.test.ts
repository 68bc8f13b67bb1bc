import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escapeHtml, html } from './html.ts';

const ATTACK = `<script>alert("x")</script>' onload='&\``;

test('text never becomes markup, in elements and in attributes', () => {
  const page = html`<p title="${ATTACK}">${ATTACK}</p>`.toString();
  assert.equal(page.match(/</g)?.length, 2);
  assert.equal(page.match(/"/g)?.length, 2);
  assert.doesNotMatch(page, /['`]/);
  assert.match(page, /&lt;script&gt;alert\(&quot;x&quot;\)&lt;\/script&gt;&#39; onload=&#39;&amp;&#96;/);
});

test('text that looks like made markup is escaped', () => {
  const forged: unknown = JSON.parse('{"text":"<b>","toString":"<b>"}');
  assert.ok(typeof forged === 'object' && forged !== null && 'text' in forged && typeof forged.text === 'string');
  assert.equal(html`${forged.text}`.toString(), '&lt;b&gt;');
});

test('markup inside markup is not escaped again', () => {
  assert.equal(html`<ul>${html`<li>${'a&b'}</li>`}</ul>`.toString(), '<ul><li>a&amp;b</li></ul>');
});

test('lists are joined, each item escaped by its kind', () => {
  assert.equal(html`${['<', html`<br>`, [1, 2n]]}`.toString(), '&lt;<br>12');
});

test('what is absent or false leaves nothing; zero is shown', () => {
  assert.equal(html`[${undefined}${null}${false}${''}${0}]`.toString(), '[0]');
});

test('escaping changes the six characters and nothing else', () => {
  assert.equal(escapeHtml(`Ä € 😀 &<>"'\``), 'Ä € 😀 &amp;&lt;&gt;&quot;&#39;&#96;');
});
