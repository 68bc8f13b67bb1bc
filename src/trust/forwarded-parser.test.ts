import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ForwardedParser, parsedBy } from './forwarded-parser.ts';
import { HeaderProblem } from './header-problem.ts';

const certificate = Uint8Array.of(1, 2, 3);

/** The code by which it is refused, and what the log is told. */
function refusal(parser: ForwardedParser): readonly [string, string] {
  try {
    parsedBy(parser, 'value');
  } catch (cause) {
    if (!(cause instanceof HeaderProblem)) throw cause;
    assert.doesNotMatch(cause.message, /it threw|returned/);
    return [cause.code, String(cause.cause)];
  }
  throw new Error('it was accepted');
}

test('an own decoder that returns something else than certificates refuses, and the log says why', () => {
  const malformed: readonly (readonly [unknown, RegExp])[] = [
    [undefined, /type undefined instead of an array/],
    [null, /null instead of an array/],
    [certificate, /type object instead of an array/],
    ['MIIC', /type string instead of an array/],
    [Promise.resolve([certificate]), /a promise instead of an array/],
    [{ length: 1, 0: certificate }, /type object instead of an array/],
    [[certificate, 'MIIC'], /type string instead of a Uint8Array/],
    [[[1, 2]], /type object instead of a Uint8Array/],
    [[undefined], /type undefined instead of a Uint8Array/],
  ];
  for (const [answer, why] of malformed) {
    const [code, said] = refusal(() => answer);
    assert.equal(code, 'header_malformed');
    assert.match(said, why);
  }
});

test('an own decoder that returns too many or too long certificates refuses', () => {
  const many = refusal(() => Array.from({ length: 9 }, () => certificate));
  assert.deepEqual(many, ['header_too_large', 'it returned more than 8 certificates']);
  const long = refusal(() => [new Uint8Array(16 * 1024 + 1)]);
  assert.deepEqual(long, ['header_too_large', 'it returned more than 16384 octets as one certificate']);
  const endless = refusal(() => new Array(4_000_000_000));
  assert.deepEqual(endless, ['header_too_large', 'it returned more than 8 certificates']);
});

test('an own decoder that throws refuses, whatever it throws; its words are shortened', () => {
  const thrown = (what: unknown) =>
    refusal(() => {
      throw what;
    });
  assert.deepEqual(thrown(new TypeError('oops')), ['header_malformed', 'it threw TypeError: oops']);
  assert.deepEqual(thrown('oops'), ['header_malformed', 'it threw a value of type string']);
  assert.deepEqual(thrown(null), ['header_malformed', 'it threw null']);
  assert.ok(thrown(new Error('x'.repeat(5_000)))[1].length < 250);
  const trap = new Proxy([], {
    get: () => {
      throw new Error('trap');
    },
  });
  assert.deepEqual(
    refusal(() => trap),
    ['header_malformed', 'it threw Error: trap'],
  );
});

test('what an own decoder returns is copied: it cannot change behind the judge', () => {
  const own = Buffer.from([1, 2, 3]);
  const [taken] = parsedBy(() => [own], 'value');
  own[0] = 9;
  assert.deepEqual([...(taken ?? [])], [1, 2, 3]);
  assert.deepEqual(
    parsedBy(() => [], 'value'),
    [],
  );
});
