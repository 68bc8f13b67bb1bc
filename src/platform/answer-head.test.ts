import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnswerMalformed, parseAnswerHead } from './answer-head.ts';

const head = (...lines: readonly string[]): string => lines.join('\r\n');

const malformed: Readonly<Record<string, string>> = {
  'nothing at all': '',
  'no version': head('200 OK'),
  'another protocol': head('ICY 200 OK'),
  'HTTP/2 in words': head('HTTP/2.0 200 OK'),
  'a status of two digits': head('HTTP/1.1 20 OK'),
  'a status beyond 599': head('HTTP/1.1 600 Odd'),
  'a status that goes on': head('HTTP/1.1 2000 OK'),
  'a control character in the reason': head('HTTP/1.1 200 O\0K'),
  'a header without a colon': head('HTTP/1.1 200 OK', 'content-length'),
  'a header without a name': head('HTTP/1.1 200 OK', ': 1'),
  'a space before the colon': head('HTTP/1.1 200 OK', 'content-length : 1'),
  'a folded line': head('HTTP/1.1 200 OK', 'a: 1', ' b: 2'),
  'a bare line feed in a value': head('HTTP/1.1 200 OK', 'a: 1\nset-cookie: x'),
  'a bare carriage return in a value': head('HTTP/1.1 200 OK', 'a: 1\rb: 2'),
  'a NUL in a value': head('HTTP/1.1 200 OK', 'a: \0'),
  'a name that is an object’s own': head('HTTP/1.1 200 OK', '__proto__: 1'),
  'two lengths': head('HTTP/1.1 200 OK', 'content-length: 1', 'content-length: 1'),
  'two lengths in one line': head('HTTP/1.1 200 OK', 'content-length: 1, 1'),
  'a signed length': head('HTTP/1.1 200 OK', 'content-length: +1'),
  'a negative length': head('HTTP/1.1 200 OK', 'content-length: -1'),
  'a length in hexadecimal': head('HTTP/1.1 200 OK', 'content-length: 0x10'),
  'an empty length': head('HTTP/1.1 200 OK', 'content-length:'),
  'a length beyond counting': head('HTTP/1.1 200 OK', 'content-length: 9999999999999999'),
  'a length beside chunks': head('HTTP/1.1 200 OK', 'transfer-encoding: chunked', 'content-length: 1'),
  'another coding': head('HTTP/1.1 200 OK', 'transfer-encoding: gzip, chunked'),
  'chunks twice': head('HTTP/1.1 200 OK', 'transfer-encoding: chunked', 'transfer-encoding: chunked'),
  'a coding that only looks like chunks': head('HTTP/1.1 200 OK', 'transfer-encoding: xchunked'),
  'more lines than a bank sends': head(
    'HTTP/1.1 200 OK',
    ...Array.from({ length: 201 }, (_, index) => `a-${index}: 1`),
  ),
};

for (const [name, text] of Object.entries(malformed)) {
  test(`RFC 9112 an answer with ${name} is none`, () => {
    assert.throws(() => parseAnswerHead(text), AnswerMalformed);
  });
}

test('names are lower case, values without the space around them, several lines an array', () => {
  const { status, headers, body, keep } = parseAnswerHead(
    head('HTTP/1.1 200 OK', 'Content-Length:  12 ', 'X-A: 1', 'x-a: 2', 'X-A: 3', 'X-Empty:', 'x-latin: \xe9'),
  );
  assert.deepEqual([status, body, keep], [200, { kind: 'length', octets: 12 }, true]);
  assert.deepEqual(headers, { 'content-length': '12', 'x-a': ['1', '2', '3'], 'x-empty': '', 'x-latin': '\xe9' });
});

const framed: readonly (readonly [string, unknown, boolean])[] = [
  [head('HTTP/1.1 200', 'Transfer-Encoding: Chunked'), { kind: 'chunks' }, true],
  [head('HTTP/1.1 204 No Content'), { kind: 'length', octets: 0 }, true],
  [head('HTTP/1.1 304 Not Modified', 'content-length: 500'), { kind: 'length', octets: 0 }, true],
  [head('HTTP/1.1 200 OK'), { kind: 'close' }, false],
  [head('HTTP/1.1 200 OK', 'content-length: 0', 'Connection: close'), { kind: 'length', octets: 0 }, false],
  [head('HTTP/1.1 200 OK', 'content-length: 0', 'connection: Keep-Alive'), { kind: 'length', octets: 0 }, true],
  [head('HTTP/1.1 200 OK', 'content-length: 0', 'connection: upgrade'), { kind: 'length', octets: 0 }, false],
  [head('HTTP/1.0 200 OK', 'content-length: 0', 'connection: keep-alive'), { kind: 'length', octets: 0 }, false],
];

for (const [text, body, keep] of framed) {
  test(`RFC 9112 §6.3 ${JSON.stringify(text)} has its end where it says`, () => {
    const parsed = parseAnswerHead(text);
    assert.deepEqual([parsed.body, parsed.keep], [body, keep]);
  });
}
