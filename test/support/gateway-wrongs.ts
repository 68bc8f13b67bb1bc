import type { TokenFacts } from '../../src/tokens/index.ts';
import type { CertificateReason } from '../../src/trust/index.ts';
import {
  boundCertificate,
  certificateOf,
  consentOf,
  participantOf,
  standingOf,
  trusted,
  type World,
} from './gateway.ts';

/** One thing that is wrong, where it stands in the order of acceptance.md §1.3, and the answer it alone decides. */
export interface Wrong {
  readonly step: number;
  readonly reason: string;
  readonly status: number;
  /** The routes it can happen at; all unless given. */
  readonly at: 'every' | 'consent' | 'account';
  /** Makes the world wrong, or gives what is wrong in the token. */
  readonly spoil: (world: World, token: TokenFacts) => Partial<TokenFacts>;
}

type Change = (world: World, token: TokenFacts) => void;

/** Something wrong in the world. */
function world(step: number, reason: string, status: number, change: Change, at: Wrong['at'] = 'every'): Wrong {
  const spoil = (one: World, facts: TokenFacts) => {
    change(one, facts);
    return {};
  };
  return { step, reason, status, at, spoil };
}

/** Something wrong in the token. */
function token(
  step: number,
  reason: string,
  status: number,
  changes: Partial<TokenFacts>,
  at: Wrong['at'] = 'every',
): Wrong {
  return { step, reason, status, at, spoil: () => changes };
}

function verdict(reason: CertificateReason): Change {
  return (one) => {
    one.verdict = () => ({ ok: false, reason, detail: 'test', message: 'No.', certificate: undefined });
  };
}

function standing(changes: Parameters<typeof standingOf>[0]): Change {
  return (one) => one.standings.set('app-a', standingOf(changes));
}

function consent(changes: Parameters<typeof consentOf>[0]): Change {
  return (one) => one.consents.set('consent-1', consentOf(changes));
}

/** Every validation of a resource request, failed alone (WSN-44). */
export const wrongs: readonly Wrong[] = [
  world(1, 'certificate_missing', 401, verdict('certificate_missing')),
  world(1, 'certificate_expired', 401, verdict('certificate_expired')),
  world(2, 'certificate_revoked', 401, verdict('certificate_revoked')),
  world(3, 'role_missing', 403, (one) => {
    one.verdict = () => trusted(certificateOf('cert-a', { roles: ['CBPII'] }));
  }),
  world(4, 'token_invalid', 401, (one) => one.tokens.clear()),
  world(4, 'token_expired', 401, (one, facts) => one.tokens.set('t', { state: 'expired', facts })),
  world(4, 'token_revoked', 401, (one, facts) => one.tokens.set('t', { state: 'revoked', facts })),
  token(5, 'certificate_not_bound', 401, { thumbprint: 'cert-b' }),
  token(5, 'certificate_not_bound', 401, { thumbprint: undefined }),
  world(5, 'participant_unknown', 403, (one) => one.standings.clear()),
  world(5, 'certificate_not_enrolled', 401, standing({ certificates: [boundCertificate('cert-b')] })),
  world(6, 'participant_suspended', 403, standing({ participant: participantOf({ status: 'suspended' }) })),
  world(6, 'participant_not_approved', 403, standing({ participant: participantOf({ status: 'pending' }) })),
  world(6, 'role_missing', 403, standing({ participant: participantOf({ roles: ['CBPII'] }) })),
  token(7, 'wrong_audience', 401, { audience: 'https://elsewhere' }),
  token(7, 'insufficient_scope', 403, { scopes: ['openid'] }),
  {
    step: 7,
    reason: 'wrong_token_type',
    status: 401,
    at: 'every',
    spoil: (_world, { kind }) => ({ kind: kind === 'customer' ? 'participant' : 'customer' }),
  },
  world(8, 'rate_limited', 429, (one) => one.limits.set('tpp-a', 30)),
  token(11, 'consent_missing', 403, { consent: undefined }, 'consent'),
  token(11, 'consent_missing', 403, { consent: 'consent-9' }, 'consent'),
  world(11, 'consent_wrong_client', 403, consent({ client: 'app-b' }), 'consent'),
  world(11, 'consent_wrong_user', 403, consent({ customer: 'psu-2' }), 'consent'),
  world(11, 'consent_not_authorised', 403, consent({ state: 'Awaiting' }), 'consent'),
  world(11, 'consent_not_authorised', 403, consent({ state: 'Revoked' }), 'consent'),
  world(11, 'consent_expired', 403, consent({ state: 'Expired' }), 'consent'),
  world(11, 'permission_missing', 403, consent({ scopes: [] }), 'consent'),
  world(11, 'account_not_in_consent', 403, consent({ accounts: [] }), 'account'),
  world(12, 'audit_unavailable', 503, (one) => {
    one.trailWorks = false;
  }),
];
