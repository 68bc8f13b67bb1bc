import { createExternalConsentStore, createSqlConsentStore } from '../../src/consent/index.ts';
import { createAuthority } from '../support/certificates.ts';
import { startConsentService } from '../support/consent-service.ts';
import { openTestDatabase } from '../support/database.ts';
import { consentPortSuite } from './consent-port.ts';

consentPortSuite("the platform's database", openTestDatabase, async (parts) => {
  const store = createSqlConsentStore(parts);
  return { store, close: () => store.close() };
});

consentPortSuite("the bank's own service", openTestDatabase, async (parts) => {
  const service = await startConsentService(createAuthority('Consent CA'), { now: parts.clock.now });
  const store = createExternalConsentStore({
    ...parts,
    fetcher: service.fetcher(),
    origin: service.store.origin,
  });
  return {
    store,
    close: async () => {
      await store.close();
      await service.close();
    },
  };
});
