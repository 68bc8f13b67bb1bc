import { Type } from 'typebox';
import { define, NoQuery, staffOf } from './operation.ts';
import { revokeTokens, type TokenOwner } from './operations.ts';
import { bankParameter, closed, Id, Why } from './schemas.ts';

const OWNERS: Readonly<Record<TokenOwner['kind'], string>> = {
  consent: 'consents',
  client: 'clients',
  participant: 'participants',
  customer: 'customers',
};

function revocationOf(kind: TokenOwner['kind']) {
  const named = kind.charAt(0).toUpperCase() + kind.slice(1);
  return define({
    id: `revokeTokensOf${named}`,
    method: 'POST',
    path: `/{bank}/${OWNERS[kind]}/{id}/token-revocation`,
    scope: 'management.tokens',
    summary: `Ends every access and refresh token of a ${kind} at this bank; again is the same answer.`,
    params: Type.Object({ ...bankParameter, id: Id(`Id of the ${kind}.`) }, closed),
    body: Why,
    query: NoQuery,
    answers: { 204: { description: 'The tokens are dead.' } },
    run: async (desk, call) => {
      await revokeTokens(desk, call.bank.id, { kind, id: call.params.id }, staffOf(call, call.body));
      return { status: 204 };
    },
  });
}

/** CLD-55: tokens by whoever they belong to. A bank that changes consents in its own store calls the first one. */
export const tokenOperations = [
  revocationOf('consent'),
  revocationOf('client'),
  revocationOf('participant'),
  revocationOf('customer'),
] as const;
