import { createPublicKey, sign } from 'node:crypto';
import { join } from 'node:path';
import { distinguishedName, ECDSA_WITH_SHA256, type Issuer } from '../certificate.ts';
import { bitString, enumerated, explicit, integer, sequence, time } from '../der.ts';
import { authorityKeyIdentifier, extension } from '../extensions.ts';
import { readable, readIfThere, writePublic } from '../files.ts';
import { type IssuedBook, type Revocation, revocationReasons } from './issued.ts';

/** A list names this as its end, and is made anew when half of it is over. */
const LIST_MS = 600_000;

/** The list of one authority. */
export interface RevocationList {
  /** The list as it is at this moment, DER: made anew when something was revoked since, or the last one grows old. */
  current(now: Date): Promise<Buffer>;
}

interface Made {
  readonly der: Buffer;
  readonly at: Date;
  /** What is on it. */
  readonly content: string;
}

const VERSION_2 = integer(Buffer.from([1]));

/** Opens the list of an authority; its number is kept in a file, and never goes back over starts (RFC 5280 §5.2.3). */
export function openList(directory: string, name: string, issuer: Issuer, book: IssuedBook): RevocationList {
  const file = join(directory, `${name}.crl.json`);
  let last: Made | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  const current = async (now: Date): Promise<Buffer> => {
    const revocations = await book.revocations();
    const content = revocations.map(({ serial }) => serial).join();
    if (last !== undefined && last.content === content && isFresh(last, now)) return last.der;
    const number = (await readNumber(file)) + 1;
    // Kept before anybody sees it: a number that was given out is not given out again.
    await writePublic(file, readable({ number }));
    const der = encodeList(issuer, revocations, number, now);
    last = { der, at: now, content };
    return der;
  };
  return {
    // One after the other: two callers at once must not get two lists with one number.
    current: (now) => {
      const mine = turn.then(() => current(now));
      turn = mine.catch(() => undefined);
      return mine;
    },
  };
}

function isFresh({ at }: Made, now: Date): boolean {
  const age = now.getTime() - at.getTime();
  return age >= 0 && age < LIST_MS / 2;
}

async function readNumber(file: string): Promise<number> {
  const text = await readIfThere(file);
  if (text === undefined) return 0;
  const value: unknown = JSON.parse(text);
  if (typeof value === 'object' && value !== null && 'number' in value && Number.isSafeInteger(value.number)) {
    return Number(value.number);
  }
  throw new Error(`${file} holds no number: npm run reset makes a new authority`);
}

/** A CertificateList of version 2 (RFC 5280 §5.1). */
function encodeList(issuer: Issuer, revocations: readonly Revocation[], number: number, now: Date): Buffer {
  const body = sequence(
    VERSION_2,
    ECDSA_WITH_SHA256,
    distinguishedName(issuer.subject),
    time(now),
    time(new Date(now.getTime() + LIST_MS)),
    // An empty list of entries is left out (§5.1.2.6).
    ...(revocations.length === 0 ? [] : [sequence(...revocations.map(encodeEntry))]),
    explicit(
      0,
      sequence(
        authorityKeyIdentifier(createPublicKey(issuer.key)),
        extension('2.5.29.20', false, integer(octetsOf(number))),
      ),
    ),
  );
  return sequence(body, ECDSA_WITH_SHA256, bitString(sign('sha256', body, issuer.key)));
}

function encodeEntry({ serial, at, reason }: Revocation): Buffer {
  const code = enumerated(revocationReasons[reason]);
  const why = reason === 'unspecified' ? [] : [sequence(extension('2.5.29.21', false, code))];
  return sequence(integer(Buffer.from(serial, 'hex')), time(at), ...why);
}

function octetsOf(number: number): Buffer {
  const hex = number.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}
