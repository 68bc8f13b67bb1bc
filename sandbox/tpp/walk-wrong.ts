import { requireRunning } from '../authority/running.ts';
import { addressesOf, type Ports } from '../configuration.ts';
import type { Places } from '../places.ts';
import { check, checkStatus, createSteps, jsonOf, refusalOf } from './steps.ts';
import { WALK_BANK } from './walk-grant.ts';
import { isCutOff, openWire, transportIdentity, trustedRoot, type Wire } from './wire.ts';
import { wrongCertificates } from './wrong-certificates.ts';

const PARTICIPANT = 'paymate';

/**
 * Shows what happens to certificates that do not work: the mTLS door ends the connection without a word, the onboarding door says
 * what is wrong. Gives the number of steps. @throws StepFailed
 */
export async function walkWrong(places: Places, ports: Ports, print: (line: string) => void): Promise<number> {
  await requireRunning(places);
  const steps = createSteps(print);
  const { mtls, onboarding } = addressesOf(ports);
  const root = await trustedRoot(places);
  const over = async (identity: Parameters<typeof openWire>[1], work: (wire: Wire) => Promise<void>) => {
    const wire = openWire(root, identity, steps.listen);
    try {
      await work(wire);
    } finally {
      await wire.close();
    }
  };
  for (const { title, identity, reason, remedy } of await wrongCertificates(places, PARTICIPANT)) {
    await steps.take(`${title}: the mTLS door says nothing, the onboarding door says why`, () =>
      over(identity, async (wire) => {
        check(await isCutOff(wire, `${mtls}/${WALK_BANK}/accounts`), 'the mTLS door answered');
        steps.say(`→ GET ${mtls}/${WALK_BANK}/accounts\n← the connection ended, not one byte was answered`);
        const told = await wire.send(`${onboarding}/${WALK_BANK}`);
        checkStatus(told, 401);
        check(refusalOf(told) === reason, `the reason is ${refusalOf(told)}, not ${reason}`);
        steps.say(`right would be: ${remedy}`);
      }),
    );
  }
  await steps.take('The right one: the onboarding door says where to go on', async () =>
    over(await transportIdentity(places, PARTICIPANT), async (wire) => {
      const told = await wire.send(`${onboarding}/${WALK_BANK}`);
      checkStatus(told, 200);
      check(typeof jsonOf(told).message === 'string', 'it says nothing');
    }),
  );
  return steps.taken;
}
