import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Flow } from './flow.ts';
import type { Draft } from './payment.ts';
import type { Keys } from './seal.ts';

/** Somebody who signed in to Financroo, in one browser. Everything that belongs to that browser alone hangs here. */
export interface Session {
  readonly id: string;
  readonly user: string;
  /** Sent with every form; another site cannot know it. */
  readonly formToken: string;
  /** Ways to a bank that are under way, by their `state`. */
  readonly flows: Map<string, Flow>;
  readonly drafts: Map<string, Draft>;
  /** Sentences for the next page. */
  readonly notices: Notice[];
  lastSeen: number;
}

/** What a page says on top. */
export interface Notice {
  readonly kind: 'good' | 'problem';
  readonly text: string;
  readonly link?: { readonly to: string; readonly text: string };
}

/** Who is signed in, and how one gets there. */
export interface Sessions {
  /** Undefined when name or password is wrong. */
  signIn(user: string, password: string): Session | undefined;
  /** `forged`: there is a cookie, and it is none of ours (N-117). */
  find(cookie: string | undefined): Session | 'none' | 'forged';
  cookieOf(session: Session): string;
  end(session: Session): void;
}

/** Financroo's own demo users. Their passwords have nothing to do with any bank's: Financroo never sees those. */
export const demoUsers: readonly string[] = ['robin', 'sam'];
export const demoUserPassword = 'financroo';

const IDLE_MS = 30 * 60_000;
/** A demo on one machine; the oldest makes room. */
const MOST_SESSIONS = 1_000;

/** Sessions in memory: a restart signs everybody out, connections stay. */
export function createSessions(keys: Keys, now: () => Date): Sessions {
  const sessions = new Map<string, Session>();
  return {
    signIn: (user, password) => {
      if (!demoUsers.includes(user) || !isSame(password, demoUserPassword)) return undefined;
      const id = randomBytes(32).toString('base64url');
      const session: Session = {
        id,
        user,
        formToken: keys.sign(`form ${id}`),
        flows: new Map(),
        drafts: new Map(),
        notices: [],
        lastSeen: now().getTime(),
      };
      const [oldest] = sessions.keys();
      if (sessions.size >= MOST_SESSIONS && oldest !== undefined) sessions.delete(oldest);
      sessions.set(id, session);
      return session;
    },
    find: (cookie) => {
      if (cookie === undefined) return 'none';
      const [id = '', mark = ''] = cookie.split('.');
      if (!keys.isSigned(`session ${id}`, mark)) return 'forged';
      const session = sessions.get(id);
      if (session === undefined) return 'none';
      if (now().getTime() - session.lastSeen > IDLE_MS) {
        sessions.delete(id);
        return 'none';
      }
      session.lastSeen = now().getTime();
      return session;
    },
    cookieOf: ({ id }) => `${id}.${keys.sign(`session ${id}`)}`,
    end: ({ id }) => {
      sessions.delete(id);
    },
  };
}

function isSame(one: string, other: string): boolean {
  const [first, second] = [one, other].map((text) => createHash('sha256').update(text).digest());
  return first !== undefined && second !== undefined && timingSafeEqual(first, second);
}
