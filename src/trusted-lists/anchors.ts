import type { CertificateUse, GrantedAnchor } from '../trust/index.ts';
import type { TrustedList } from './list.ts';

/** The services of a list as anchors for one use; each ends with the list at the latest. */
export function anchorsOf(list: TrustedList, use: CertificateUse): readonly GrantedAnchor[] {
  return list.services.flatMap(({ certificates, granted, root }) =>
    granted[use].length === 0
      ? []
      : certificates.map((pem) => ({
          pem,
          granted: granted[use],
          grantedUse: use,
          until: list.nextUpdate,
          issuingOnly: !root,
          origin: `trusted list ${list.territory}`,
        })),
  );
}
