import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnswerMalformed } from './answer-head.ts';
import { createChunkReader } from './chunked-body.ts';

interface Read {
  readonly text: string;
  readonly ended: boolean;
  /** Octets behind the end of the body. */
  readonly surplus: number;
}

/** Reads a body that arrives in pieces of so many octets. */
function read(body: string, size: number): Read {
  const reader = createChunkReader();
  const all = Buffer.from(body, 'latin1');
  let text = '';
  for (let at = 0; at < all.length && !reader.ended; at += size) {
    const piece = all.subarray(at, at + size);
    const taken = reader.read(piece, (data) => {
      text += data.toString('latin1');
    });
    if (reader.ended) return { text, ended: true, surplus: all.length - at - taken };
    assert.equal(taken, piece.length, 'a piece is read whole while the body goes on');
  }
  return { text, ended: reader.ended, surplus: 0 };
}

const malformed: Readonly<Record<string, string>> = {
  'no size': '\r\nabc\r\n0\r\n\r\n',
  'a size that is no number': 'g\r\n',
  'a signed size': '+3\r\nabc\r\n0\r\n\r\n',
  'a size with a prefix': '0x3\r\nabc\r\n0\r\n\r\n',
  'a size with a space before it': ' 3\r\nabc\r\n',
  'a size beyond counting': 'ffffffffffffff\r\n',
  'a bare line feed behind the size': '3\nabc\r\n0\r\n\r\n',
  'more data than the size': '3\r\nabcd\r\n0\r\n\r\n',
  'a bare line feed behind the data': '3\r\nabc\n0\r\n\r\n',
  'an extension with a control character': '3;a=\0\r\nabc\r\n0\r\n\r\n',
  'an endless extension': `3;${'a'.repeat(5_000)}\r\nabc\r\n0\r\n\r\n`,
  'endless trailers': `0\r\n${'a: b\r\n'.repeat(70)}\r\n`,
  'an endless trailer line': `0\r\na: ${'b'.repeat(5_000)}\r\n\r\n`,
};

for (const [name, body] of Object.entries(malformed)) {
  for (const size of [1, 7, 100_000]) {
    test(`RFC 9112 §7.1 a body with ${name} is refused, in pieces of ${size}`, () => {
      assert.throws(() => read(body, size), AnswerMalformed);
    });
  }
}

test('RFC 9112 §7.1 data is the same however it is cut', () => {
  const body = '4\r\nWiki\r\n5;note="x"\r\npedia\r\nE\r\n in\r\n\r\nchunks.\r\n0\r\nTrailer: x\r\n\r\n';
  for (let size = 1; size <= body.length + 1; size += 1)
    assert.deepEqual(read(body, size), { text: 'Wikipedia in\r\n\r\nchunks.', ended: true, surplus: 0 });
});

test('what follows the body is not taken for it', () => {
  assert.deepEqual(read('1\r\na\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n', 1_000), { text: 'a', ended: true, surplus: 17 });
});

test('a body that breaks off has not ended', () => {
  for (const body of ['5', '5\r\nab', '2\r\nab', '2\r\nab\r\n', '2\r\nab\r\n0', '2\r\nab\r\n0\r\n', '0\r\na: b\r\n'])
    assert.equal(read(body, 1_000).ended, false, JSON.stringify(body));
});
