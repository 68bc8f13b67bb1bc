import type { Exchange } from '../wire.ts';

/** What a message is for, in words. */
export interface Explanation {
  readonly title: string;
  readonly says: string;
  /** Where the standard says so. */
  readonly clause: string;
  /** Who sends it. */
  readonly actor: 'Financroo' | 'browser';
  /** The name of the experiment it belongs to: then it is no step of the flow. */
  readonly experiment?: string;
  /** Everybody may ask, and nobody is asked for a client certificate. */
  readonly open?: true;
}

type Words = Omit<Explanation, 'actor'>;

/** Messages between machines, by the end of their address. The first that fits is meant. */
const BY_PATH: readonly (readonly [method: string, path: RegExp, words: Words])[] = [
  [
    'GET',
    /\/\.well-known\//,
    {
      title: 'Discovery',
      says: 'The bank describes itself: where its endpoints are and what it insists on. mtls_endpoint_aliases are the addresses that ask for a client certificate; Financroo uses these. That the issuer in the answer is the one that was asked is checked.',
      clause: 'RFC 8414 §3, OpenID Connect Discovery §4, RFC 8705 §5',
      open: true,
    },
  ],
  [
    'GET',
    /\/jwks$/,
    {
      title: 'The bank’s public keys',
      says: 'With these Financroo checks the signature of the ID token.',
      clause: 'RFC 7517 §5, OpenID Connect Core §10.1',
      open: true,
    },
  ],
  [
    'POST',
    /\/register$/,
    {
      title: 'Registration',
      says: 'Financroo introduces itself. The software statement is signed by the directory of participants and says who Financroo is and which roles it has; the certificate of the connection says so a second time. The answer holds the client id.',
      clause: 'RFC 7591 §3.1 and §2.3',
    },
  ],
  [
    'GET',
    /\/register\//,
    {
      title: 'Does the bank still know this client?',
      says: 'Financroo registered at an earlier start and kept the client. If the bank has forgotten it, Financroo registers again.',
      clause: 'RFC 7592 §2.1',
    },
  ],
  [
    'DELETE',
    /\/register\//,
    { title: 'The client is deleted', says: 'Financroo gives its registration back.', clause: 'RFC 7592 §2.3' },
  ],
  [
    'POST',
    /\/par$/,
    {
      title: 'The request is pushed',
      says: 'What Financroo wants goes straight to the bank, over a connection with its certificate and signed by its key (client_assertion). The browser will carry nothing but a handle, so nobody can change the request on the way. code_challenge is the hash of a secret that Financroo keeps: whoever steals the code cannot use it.',
      clause: 'RFC 9126 §2, RFC 7636 §4.3, RFC 7523 §2.2, FAPI 2.0 §5.3.2.2',
    },
  ],
  [
    'POST',
    /\/introspect$/,
    {
      title: 'What is this token worth?',
      says: 'The bank tells whether the token is alive, for which permission (consent_id) and scope, and to which certificate it is bound (cnf): the SHA-256 of Financroo’s certificate. With any other certificate it is refused.',
      clause: 'RFC 7662 §2, RFC 8705 §3.2',
    },
  ],
  [
    'POST',
    /\/revoke$/,
    {
      title: 'The token is given back',
      says: 'After this the refresh token and every access token made from it are dead at the bank.',
      clause: 'RFC 7009 §2',
    },
  ],
  [
    'POST',
    /\/tokenize$/,
    {
      title: 'The account number becomes a token',
      says: 'With the customer’s access token: the bank keeps the account number and gives a stand-in, which is worth something in Financroo’s hands alone.',
      clause: 'Lab 03; RFC 6750 §2.1',
    },
  ],
  [
    'POST',
    /\/payments$/,
    {
      title: 'The payment',
      says: 'With Financroo’s own access token, not the customer’s: the stand-in says from which account. APPROVED and DECLINED are both answers of the bank; anything else means that it could not be asked.',
      clause: 'Lab 03; RFC 6750 §2.1, RFC 8705 §3',
    },
  ],
];

const BY_GRANT: Readonly<Record<string, Words>> = {
  authorization_code: {
    title: 'The code becomes tokens',
    says: 'Financroo proves three things at once: that it is the client (client_assertion), that it began this flow (code_verifier), and, by its certificate, to whom the tokens shall be bound. The ID token must carry the nonce that was sent.',
    clause: 'RFC 6749 §4.1.3, RFC 7636 §4.5, RFC 8705 §3, OpenID Connect Core §3.1.3.7',
  },
  refresh_token: {
    title: 'A fresh access token',
    says: 'Access tokens live for minutes. The refresh token lives as long as the permission; invalid_grant says that the permission has ended.',
    clause: 'RFC 6749 §6',
  },
  client_credentials: {
    title: 'A token for Financroo itself',
    says: 'No customer is involved: the token stands for Financroo, and can do only what its role allows.',
    clause: 'RFC 6749 §4.4',
  },
};

const API: Words = {
  title: 'The bank’s API',
  says: 'The access token says what the customer allowed, the certificate of the connection says that it is in the right hands. The bank answers for the accounts the customer ticked, no other.',
  clause: 'RFC 6750 §2.1, RFC 8705 §3',
};

/** What a message between Financroo and a bank means. */
export function explain({ method, url, requestBody }: Exchange): Explanation {
  const path = new URL(url).pathname;
  const found = BY_PATH.find(([verb, pattern]) => verb === method && pattern.test(path));
  if (found !== undefined) return { ...found[2], actor: 'Financroo' };
  const grant = path.endsWith('/token') ? new URLSearchParams(requestBody).get('grant_type') : null;
  const words = grant === null ? undefined : BY_GRANT[grant];
  return { ...(words ?? { ...API, title: `${API.title}: ${path.split('/').slice(2).join('/')}` }), actor: 'Financroo' };
}

/** The browser is sent to the bank. */
export const sentToBank: Explanation = {
  title: 'The browser goes to the bank',
  says: 'Signing in and deciding happen at the bank. Financroo sees neither the password nor the pages. The address holds the client id and the handle, nothing else.',
  clause: 'RFC 9126 §4, FAPI 2.0 §5.3.2.2',
  actor: 'browser',
};

/** The browser comes back. */
export const cameBack: Explanation = {
  title: 'The browser comes back',
  says: 'Before anything is exchanged Financroo checks that this browser began this flow (state, used once) and that the answer is from the bank it was begun with (iss).',
  clause: 'RFC 6749 §4.1.2 and §10.12, RFC 9207 §2.4',
  actor: 'browser',
};
