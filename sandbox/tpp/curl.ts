import type { WireRequest } from './wire.ts';

/** How a learner sends a request by hand. */
export interface CurlOptions {
  /** Path of the trusted root. */
  readonly authority: string;
  /** Paths of certificate and key, at the mTLS door. */
  readonly identity?: { readonly certificate: string; readonly key: string } | undefined;
  /** Values that are shown as `$NAME`. */
  readonly secrets: ReadonlyMap<string, string>;
}

/** The curl command that sends exactly this request, secrets as shell variables. */
export function curlOf(url: string, request: WireRequest, options: CurlOptions): string {
  const { authority, identity } = options;
  const { method = 'GET', headers = {}, body } = request;
  const form = headers['content-type'] === 'application/x-www-form-urlencoded';
  const implied = body === undefined ? 'GET' : 'POST';
  return [
    'curl -s',
    ...(method === implied ? [] : [`-X ${method}`]),
    `--cacert ${quoted(authority)}`,
    ...(identity === undefined ? [] : [`--cert ${quoted(identity.certificate)} --key ${quoted(identity.key)}`]),
    ...Object.entries(headers)
      .filter(([name]) => !(form && name === 'content-type'))
      .map(([name, value]) => `-H ${hidden(`${name}: ${value}`, options.secrets)}`),
    ...(body === undefined ? [] : bodyOf(body, form, options.secrets)),
    hidden(url, options.secrets),
  ].join(' ');
}

function bodyOf(body: string, form: boolean, secrets: ReadonlyMap<string, string>): readonly string[] {
  if (!form) return [`-d ${hidden(body, secrets)}`];
  return [...new URLSearchParams(body)].map(
    ([name, value]) => `--data-urlencode ${hidden(`${name}=${value}`, secrets)}`,
  );
}

/** A word for the shell in which every secret is a variable. */
function hidden(text: string, secrets: ReadonlyMap<string, string>): string {
  const found = [...secrets].filter(([value]) => text.includes(value));
  if (found.length === 0) return quoted(text);
  const escaped = text.replaceAll(/["\\$`]/g, (character) => `\\${character}`);
  return `"${found.reduce((shown, [value, name]) => shown.replaceAll(value, `$${name}`), escaped)}"`;
}

function quoted(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
