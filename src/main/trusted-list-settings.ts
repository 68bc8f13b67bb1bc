import { type Static, Type } from 'typebox';
import { FilePath } from '../platform/config.ts';

const closed = { additionalProperties: false } as const;
/** More often than every five minutes no operator wants to be asked; less often than daily a withdrawal comes too late. */
const REFRESH_SECONDS = { minimum: 300, maximum: 86_400, default: 21_600 } as const;
/** The Union has thirty. */
const MAXIMUM_LISTS = 64;
/** An operator of a list announces its next certificates beside the present ones; eight is the most that was seen. */
const MAXIMUM_SIGNERS = 16;

/** A national trusted list that a bank uses. */
const TrustedList = Type.Object(
  {
    territory: Type.String({
      pattern: '^[A-Z]{2}$',
      description: 'SchemeTerritory of the list: the country, EL for Greece.',
    }),
    url: Type.Optional(
      Type.String({
        pattern: '^https?://[^#@\\s]+$',
        description: 'Where the list is published. It is signed, so http will do.',
      }),
    ),
    file: Type.Optional(FilePath('Where the list is put instead, by whoever fetches it.')),
    signers: Type.Array(FilePath('PEM file with certificates that may sign this list, and no other.'), {
      minItems: 1,
      maxItems: MAXIMUM_SIGNERS,
      description: 'Certificates of the operator of the list, taken from the list of the lists by hand.',
    }),
    refreshSeconds: Type.Optional(
      Type.Integer({ ...REFRESH_SECONDS, description: 'How often it is looked for. Without it: every six hours.' }),
    ),
    allowPrivateAddresses: Type.Optional(
      Type.Boolean({ description: 'The url may be one inside the house. Without it: public addresses alone.' }),
    ),
  },
  closed,
);

/** The trusted lists of a bank. */
export const TrustedListSettings = Type.Array(TrustedList, {
  minItems: 1,
  maxItems: MAXIMUM_LISTS,
  description: 'National trusted lists whose issuers of qualified website certificates are anchors.',
});

/** One list of the settings. */
export type TrustedListSettings = Static<typeof TrustedList>;

interface ListTrust {
  readonly anchors?: readonly string[] | undefined;
  readonly qualified?: boolean | undefined;
  readonly qcTypeRequired?: boolean | undefined;
  readonly trustedLists?: readonly TrustedListSettings[] | undefined;
}

/** @throws Error naming the key: lists without the rules that go with them would let in what they do not speak of */
export function checkTrustedLists({ anchors, trustedLists, ...trust }: ListTrust, at: string): void {
  if (trustedLists === undefined) {
    if (anchors === undefined) throw new Error(`${at}.anchors: is missing: name files, or ${at}.trustedLists`);
    return;
  }
  for (const key of ['qualified', 'qcTypeRequired'] as const) {
    if (trust[key] !== true) throw new Error(`${at}.${key}: must be true where trustedLists say who is qualified`);
  }
  const seen = new Set<string>();
  for (const [index, { territory, url, file }] of trustedLists.entries()) {
    const place = `${at}.trustedLists[${index}]`;
    if (seen.has(territory)) throw new Error(`${place}.territory: ${territory} is named twice`);
    seen.add(territory);
    if ((url === undefined) === (file === undefined)) throw new Error(`${place}: name a url or a file`);
  }
}
