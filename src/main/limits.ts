import { type Static, Type } from 'typebox';

/** Limits that an operator may have to move; each is counted as its description says. */
export const Limits = Type.Object(
  {
    oauthRequestsPerMinute: Type.Optional(
      Type.Integer({
        minimum: 60,
        maximum: 100_000_000,
        default: 12_000,
        description:
          'Requests a minute of one client certificate (without one: of one address) at the token, pushed request, introspection and revocation endpoints of a bank, in each process; more get 429.',
      }),
    ),
    failedSignInsPerSource: Type.Optional(
      Type.Integer({
        minimum: 5,
        maximum: 1_000_000,
        default: 100,
        description:
          'Failed sign-ins of one address at a bank within a quarter of an hour, over all processes; more are refused until it ends. Raise it where a proxy hides the addresses of customers.',
      }),
    ),
  },
  { additionalProperties: false, description: 'Limits against callers who ask for too much.' },
);

/** The limits with what is not set filled in: 200 requests a second is far beyond a third party's need and far below what stops a process. */
export function limitsOf({
  limits = {},
}: {
  readonly limits?: Static<typeof Limits>;
}): Required<Static<typeof Limits>> {
  return {
    oauthRequestsPerMinute: limits.oauthRequestsPerMinute ?? 12_000,
    failedSignInsPerSource: limits.failedSignInsPerSource ?? 100,
  };
}
