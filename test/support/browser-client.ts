import { Agent, type RequestOptions, request as send } from 'node:https';

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
  /** The address that answered. */
  readonly url: string;
}

interface Cookie {
  readonly host: string;
  readonly path: string;
  readonly name: string;
  readonly value: string;
}

/** A browser without scripts: keeps cookies by host and path as browsers do, sends forms with their origin. */
export interface BrowserClient {
  get(url: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  post(
    url: string,
    fields: Readonly<Record<string, string>> | URLSearchParams,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>;
  request(method: string, url: string, headers: Readonly<Record<string, string>>, body?: string): Promise<Answer>;
  /** Follows redirects, with GET, until a page answers. */
  follow(answer: Answer): Promise<Answer>;
  cookies(): readonly Cookie[];
  plant(cookie: Cookie): void;
  close(): void;
}

const MAXIMUM_REDIRECTS = 10;

/** A new browser that trusts one authority. */
export function createBrowserClient(authorityPem: string): BrowserClient {
  const agent = new Agent({ ca: authorityPem, keepAlive: true });
  let jar: Cookie[] = [];
  const keep = (url: URL, lines: readonly string[]) => {
    for (const line of lines) {
      const cookie = parseCookie(url, line);
      const gone = /;\s*max-age=0(;|$)/i.test(line);
      jar = jar.filter(({ host, path, name }) => host !== cookie.host || path !== cookie.path || name !== cookie.name);
      if (!gone) jar.push(cookie);
    }
  };
  const request = (method: string, url: string, headers: Readonly<Record<string, string>>, body?: string) =>
    exchange(agent, method, new URL(url), { ...cookieHeader(jar, new URL(url)), ...headers }, body, keep);
  const client: BrowserClient = {
    get: (url, headers = {}) => request('GET', url, headers),
    post: (url, fields, headers = {}) => {
      const type = { 'content-type': 'application/x-www-form-urlencoded' };
      const origin = { origin: new URL(url).origin, 'sec-fetch-site': 'same-origin' };
      return request('POST', url, { ...type, ...origin, ...headers }, new URLSearchParams(fields).toString());
    },
    request,
    follow: async (first) => {
      let answer = first;
      for (let hops = 0; answer.status === 303 || answer.status === 302; hops += 1) {
        if (hops === MAXIMUM_REDIRECTS) throw new Error(`too many redirects at ${answer.url}`);
        answer = await client.get(new URL(String(answer.headers.location), answer.url).href);
      }
      return answer;
    },
    cookies: () => jar,
    plant: (cookie) => {
      jar.push(cookie);
    },
    close: () => agent.destroy(),
  };
  return client;
}

function exchange(
  agent: Agent,
  method: string,
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string | undefined,
  keep: (url: URL, lines: readonly string[]) => void,
): Promise<Answer> {
  const options: RequestOptions = { agent, method, headers };
  return new Promise((resolve, reject) => {
    const call = send(url, options, async (response) => {
      keep(url, response.headers['set-cookie'] ?? []);
      const text = Buffer.concat(await response.toArray()).toString();
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text, url: url.href });
    });
    call.on('error', reject);
    call.end(body);
  });
}

function parseCookie(url: URL, line: string): Cookie {
  const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
  const split = pair.indexOf('=');
  const path = attributes.find((attribute) => attribute.toLowerCase().startsWith('path='))?.slice(5);
  return { host: url.hostname, path: path ?? '/', name: pair.slice(0, split), value: pair.slice(split + 1) };
}

/** The most specific path first (RFC 6265 §5.4). */
function cookieHeader(jar: readonly Cookie[], url: URL): Readonly<Record<string, string>> {
  const inPath = (path: string) =>
    url.pathname === path || url.pathname.startsWith(path.endsWith('/') ? path : `${path}/`);
  const matching = jar
    .filter((cookie) => cookie.host === url.hostname && inPath(cookie.path))
    .toSorted((one, other) => other.path.length - one.path.length);
  if (matching.length === 0) return {};
  return { cookie: matching.map(({ name, value }) => `${name}=${value}`).join('; ') };
}

/** The value of a form's hidden or other field, by name, of the form that goes to `action`. */
export function fieldOf(page: string, action: string, name: string): string {
  const form = page.split('<form').find((part) => part.includes(`action="${action}"`)) ?? '';
  const value = new RegExp(`name="${name}" value="([^"]*)"`).exec(form)?.[1];
  if (value === undefined) throw new Error(`no field ${name} in a form for ${action}`);
  return value;
}
