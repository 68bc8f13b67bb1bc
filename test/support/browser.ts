import type { Agent } from 'node:https';
import { call, form, type Received } from './http.ts';

/** A form as a page holds it. */
export interface PageForm {
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
  /** Values of the tick boxes by name. */
  readonly choices: Readonly<Record<string, readonly string[]>>;
}

/** A page: where it is, and what it says. */
export interface Page extends Received {
  readonly url: string;
}

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
}

/** A browser without JavaScript: keeps cookies by path, follows redirects within the bank, sends forms as pages give them. */
export function createBrowser(agent: Agent) {
  const cookies = new Map<string, Cookie>();

  const keep = (received: Received, url: URL): void => {
    for (const line of received.headers['set-cookie'] ?? []) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
      const name = pair.slice(0, pair.indexOf('='));
      const value = pair.slice(pair.indexOf('=') + 1);
      const path = attributes.find((part) => part.toLowerCase().startsWith('path='))?.slice(5) ?? url.pathname;
      const expired = attributes.some((part) => /^expires=thu, 01 jan 1970/i.test(part) || /^max-age=0$/i.test(part));
      if (expired || value === '') cookies.delete(`${name} ${path}`);
      else cookies.set(`${name} ${path}`, { name, value, path });
    }
  };

  const headerFor = (url: URL): string =>
    [...cookies.values()]
      .filter(
        (cookie) =>
          url.pathname === cookie.path ||
          url.pathname.startsWith(cookie.path.endsWith('/') ? cookie.path : `${cookie.path}/`),
      )
      .map((cookie) => `${cookie.name}=${cookie.value}`)
      .join('; ');

  /** One request without following anything. */
  const send = async (address: string, method: 'GET' | 'POST', body?: string): Promise<Page> => {
    const url = new URL(address);
    const cookie = headerFor(url);
    const headers = {
      ...(cookie === '' ? {} : { cookie }),
      accept: 'text/html',
      ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded', origin: url.origin }),
    };
    const received = await call(address, { method, headers, agent, ...(body === undefined ? {} : { body }) });
    keep(received, url);
    return { ...received, url: address };
  };

  /** Follows redirects while they stay at the same origin; the last answer may be a redirect elsewhere. */
  const follow = async (page: Page): Promise<Page> => {
    let current = page;
    for (let hops = 0; hops < 10 && current.status >= 300 && current.status < 400; hops += 1) {
      const next = new URL(current.headers.location ?? '', current.url);
      if (next.origin !== new URL(current.url).origin) return current;
      current = await send(next.href, 'GET');
    }
    return current;
  };

  return {
    cookies,
    send,
    get: async (address: string) => follow(await send(address, 'GET')),
    submit: async (page: Page, target: PageForm, values: Readonly<Record<string, string | readonly string[]>>) => {
      const fields = new URLSearchParams(form({ ...target.fields }));
      for (const [name, value] of Object.entries(values)) {
        fields.delete(name);
        for (const item of typeof value === 'string' ? [value] : value) fields.append(name, item);
      }
      return follow(await send(new URL(target.action, page.url).href, 'POST', fields.toString()));
    },
  };
}

export type Browser = ReturnType<typeof createBrowser>;

/** The forms of a page, in order. */
export function formsOf(page: Page): readonly PageForm[] {
  return [...page.text.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].map(([, attributes = '', inside = '']) => {
    const fields: Record<string, string> = {};
    const choices: Record<string, string[]> = {};
    for (const [, input = ''] of inside.matchAll(/<input\b([^>]*)>/g)) {
      const name = attribute(input, 'name');
      const type = attribute(input, 'type');
      if (name === undefined) continue;
      if (type === 'checkbox') {
        choices[name] = [...(choices[name] ?? []), attribute(input, 'value') ?? 'on'];
      } else if (type !== 'submit') fields[name] = attribute(input, 'value') ?? '';
    }
    return { action: attribute(attributes, 'action') ?? '', fields, choices };
  });
}

/** The first form whose action ends so. @throws Error when the page has none */
export function formOf(page: Page, ending: string): PageForm {
  const found = formsOf(page).find((item) => item.action.endsWith(ending));
  if (found === undefined)
    throw new Error(`${page.url} (${page.status}) has no form …${ending}: ${page.text.slice(0, 500)}`);
  return found;
}

function attribute(text: string, name: string): string | undefined {
  const found = new RegExp(`\\b${name}="([^"]*)"`).exec(text)?.[1];
  return found
    ?.replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
