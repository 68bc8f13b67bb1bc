import { constants, createPrivateKey, type KeyObject, randomUUID, sign } from 'node:crypto';
import type { AssertionPlan } from './scenario.ts';

const ASSERTION_TYPE = encodeURIComponent('urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
/** FAPI 2.0 servers refuse a long life; a slice is over before this. */
const LIFE_SECONDS = 120;

/** Makes whole token requests, each with an assertion nobody has seen (RFC 7523). */
export function requestMaker(head: string, plan: AssertionPlan): () => Buffer {
  const key = createPrivateKey(plan.key);
  const header = encode({ alg: plan.algorithm, kid: plan.kid });
  return () => {
    const now = Math.floor(Date.now() / 1000);
    const { client, audience } = plan;
    const claims = { iss: client, sub: client, aud: audience, jti: randomUUID(), iat: now, exp: now + LIFE_SECONDS };
    const input = `${header}.${encode(claims)}`;
    const assertion = `${input}.${signature(plan.algorithm, input, key)}`;
    return Buffer.from(withForm(head, `&client_assertion_type=${ASSERTION_TYPE}&client_assertion=${assertion}`));
  };
}

function withForm(request: string, more: string): string {
  const [head = '', form = ''] = request.split('\r\n\r\n');
  const body = form + more;
  return `${head.replace(/content-length: \d+/, `content-length: ${body.length}`)}\r\n\r\n${body}`;
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function signature(algorithm: AssertionPlan['algorithm'], input: string, key: KeyObject): string {
  const octets = Buffer.from(input);
  if (algorithm === 'ES256') return sign('sha256', octets, { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return sign('sha256', octets, { key, padding, saltLength: 32 }).toString('base64url');
}
