import { connect } from 'node:tls';
import { LAB_PARTICIPANT } from '../lab-clients.ts';
import { machineToken } from '../lab-tokens.ts';
import { answerOf, facts } from '../outcome.ts';
import { AMOUNT, type LabRow, pay } from './row.ts';

/** Mutual TLS and the participant's standing: steps 9 and 10. */
export const standingRows: readonly LabRow[] = [
  {
    id: 'LAB-05',
    title: 'certificate and secret: neither replaces the other',
    run: async (bench) => {
      const both = await machineToken(bench, {}, 'mtls');
      const wrongSecret = await machineToken(bench, { client_secret: 'wrong' }, 'mtls');
      const noCertificate = await machineToken(bench, {}, 'mtls-without-certificate');
      return {
        expected: '200; 401 invalid_client; no answer',
        actual: [both, wrongSecret, noCertificate].map(answerOf).join('; '),
      };
    },
  },
  {
    id: 'LAB-33',
    title: 'TLS 1.2 is the least that is spoken',
    run: async (bench) => {
      const port = Number(new URL(bench.plainOrigin).port);
      bench.print(`$ openssl s_client -connect localhost:${port} -tls1_1 -cipher DEFAULT@SECLEVEL=0`);
      const spoken = [];
      for (const version of ['TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const) {
        if (await speaks(port, version)) spoken.push(version);
      }
      return { expected: 'TLSv1.2 TLSv1.3', actual: spoken.join(' ') };
    },
  },
  {
    id: 'LAB-15',
    title: 'a suspended participant: token request and token in hand',
    run: async (bench, { machine, vault }) => {
      const order = { token: vault, amount: AMOUNT };
      await bench.command('participant', 'suspend', LAB_PARTICIPANT, '--reason', 'lab');
      const suspended = await finallyDo(
        async () => [await machineToken(bench), await pay(bench, machine, order)],
        () => bench.command('participant', 'approve', LAB_PARTICIPANT, '--reason', 'lab'),
      );
      const approved = await pay(bench, machine, order);
      return {
        expected: '400 unauthorized_client; 403 participant_suspended; 200',
        actual: [...suspended, approved].map(answerOf).join('; '),
      };
    },
  },
  {
    id: 'LAB-17',
    title: 'a limit of five requests a minute, then none',
    run: async (bench, { machine, vault }) => {
      const order = { token: vault, amount: AMOUNT };
      await bench.command('participant', 'limit', LAB_PARTICIPANT, '5');
      const limited = await finallyDo(
        async () => {
          // Requests of this minute may count already: the limit is reached with the sixth at the latest.
          for (let call = 1; call < 6; call++) {
            const answer = await pay(bench, machine, order);
            if (answer?.status === 429) return answer;
          }
          return pay(bench, machine, order);
        },
        () => bench.command('participant', 'limit', LAB_PARTICIPANT, 'none'),
      );
      const wait = Number(limited?.responseHeaders['retry-after']) > 0 ? 'told' : 'not told';
      const after = answerOf(await pay(bench, machine, order));
      return {
        expected: 'limited 429 rate_limited, wait told, after 200',
        actual: facts({ limited: answerOf(limited), wait, after }),
      };
    },
  },
];

/** Whatever happens to the lab, the participant is left as it was found. */
async function finallyDo<Learned>(work: () => Promise<Learned>, restore: () => Promise<unknown>): Promise<Learned> {
  try {
    return await work();
  } finally {
    await restore();
  }
}

/** A handshake that the client would accept with any version. */
function speaks(port: number, version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({
      port,
      host: 'localhost',
      minVersion: version,
      maxVersion: version,
      ciphers: 'DEFAULT@SECLEVEL=0',
      // Only the version counts here; nothing is sent.
      rejectUnauthorized: false,
    });
    socket.once('secureConnect', () => {
      resolve(socket.getProtocol() === version);
      socket.destroy();
    });
    socket.once('error', () => resolve(false));
  });
}
