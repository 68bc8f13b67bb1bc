import type { Exchange, Wire } from './wire.ts';

/** A form as a page holds it. */
export interface Form {
  readonly action: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly choices: readonly (readonly [name: string, value: string])[];
}

/** A page, or the redirect that leads away from the bank. */
export interface Page {
  readonly url: string;
  readonly exchange: Exchange;
  readonly forms: readonly Form[];
  /** Where a redirect to somebody else's address leads. */
  readonly away: URL | undefined;
}

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
}

const MOST_REDIRECTS = 10;

/** A browser without JavaScript, with a cookie jar for one bank: opens pages and sends the forms they hold. */
export interface Browser {
  open(url: string): Promise<Page>;
  /** Sends a form as it is given, with these values; tick boxes only where they are named. */
  submit(page: Page, form: Form, values: Readonly<Record<string, string | readonly string[]>>): Promise<Page>;
}

/** A browser over a wire without a client certificate. */
export function createBrowser(wire: Wire): Browser {
  const jar = new Map<string, Cookie>();
  const visit = async (method: string, url: URL, body?: URLSearchParams): Promise<Exchange> => {
    const cookie = cookiesFor(jar, url);
    const exchange = await wire.send(url.href, {
      method,
      headers: {
        accept: 'text/html',
        ...(cookie === '' ? {} : { cookie }),
        ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded', origin: url.origin }),
      },
      ...(body === undefined ? {} : { body: body.toString() }),
    });
    keepCookies(jar, url, exchange.cookies);
    return exchange;
  };
  const follow = async (start: URL, first: Exchange): Promise<Page> => {
    let [url, exchange] = [start, first];
    for (let hop = 0; hop < MOST_REDIRECTS; hop++) {
      const location = exchange.responseHeaders.location;
      if (exchange.status < 300 || exchange.status > 399 || location === undefined) return pageOf(url, exchange);
      const next = new URL(location, url);
      if (next.origin !== url.origin) return { url: url.href, exchange, forms: [], away: next };
      url = next;
      exchange = await visit('GET', url);
    }
    throw new Error(`${url.href} redirects without end`);
  };
  return {
    open: async (address) => {
      const url = new URL(address);
      return follow(url, await visit('GET', url));
    },
    submit: async (page, form, values) => {
      const url = new URL(form.action, page.url);
      const fields = new URLSearchParams();
      for (const [name, value] of form.fields) if (!Object.hasOwn(values, name)) fields.append(name, value);
      for (const [name, value] of Object.entries(values)) {
        for (const item of typeof value === 'string' ? [value] : value) fields.append(name, item);
      }
      return follow(url, await visit('POST', url, fields));
    },
  };
}

/** The form of a page that has a field or choice of this name. @throws Error when it has none */
export function formWith(page: Page, name: string): Form {
  const found = page.forms.find((form) => [...form.fields, ...form.choices].some(([field]) => field === name));
  if (found === undefined) throw new Error(`${page.url} (${page.exchange.status}) has no form with "${name}"`);
  return found;
}

function cookiesFor(jar: ReadonlyMap<string, Cookie>, url: URL): string {
  return [...jar.values()]
    .filter(({ path }) => url.pathname === path || url.pathname.startsWith(path.endsWith('/') ? path : `${path}/`))
    .map(({ name, value }) => `${name}=${value}`)
    .join('; ');
}

function keepCookies(jar: Map<string, Cookie>, url: URL, lines: readonly string[]): void {
  for (const line of lines) {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const cut = pair.indexOf('=');
    const [name, value] = [pair.slice(0, cut), pair.slice(cut + 1)];
    const path = attributeOf(attributes, 'path') ?? url.pathname;
    const ends = Date.parse(attributeOf(attributes, 'expires') ?? '');
    const over = value === '' || attributeOf(attributes, 'max-age') === '0' || ends <= Date.now();
    if (over) jar.delete(`${name} ${path}`);
    else jar.set(`${name} ${path}`, { name, value, path });
  }
}

function attributeOf(attributes: readonly string[], name: string): string | undefined {
  return attributes.find((attribute) => attribute.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1);
}

function pageOf(url: URL, exchange: Exchange): Page {
  return { url: url.href, exchange, forms: formsOf(exchange.responseBody), away: undefined };
}

function formsOf(markup: string): readonly Form[] {
  return [...markup.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].map(([, head = '', inside = '']) => {
    const inputs = [...inside.matchAll(/<input\b([^>]*)>/g)].map(([, input = '']) => ({
      name: attribute(input, 'name') ?? '',
      type: attribute(input, 'type') ?? 'text',
      value: attribute(input, 'value') ?? '',
    }));
    const named = inputs.filter(({ name }) => name !== '');
    const pairs = (ticks: boolean) =>
      named.filter(({ type }) => (type === 'checkbox') === ticks).map(({ name, value }) => [name, value] as const);
    return { action: attribute(head, 'action') ?? '', fields: pairs(false), choices: pairs(true) };
  });
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&quot;': '"',
  '&#39;': "'",
  '&lt;': '<',
  '&gt;': '>',
  '&amp;': '&',
};

function attribute(text: string, name: string): string | undefined {
  const found = new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(text)?.[1];
  return found?.replaceAll(/&(?:quot|#39|lt|gt|amp);/g, (entity) => ENTITIES[entity] ?? entity);
}
