import type { App } from './app.ts';
import { html, type Markup, type Part, textOf } from './markup.ts';
import type { Session } from './sessions.ts';
import type { Reply } from './visit.ts';

/** One page's own part. */
export interface Content {
  readonly title: string;
  /** The entry of the menu it belongs to. */
  readonly current?: string;
  readonly body: Part;
  readonly status?: number;
  /** Asks the browser to look again after so many seconds: something is under way. */
  readonly again?: number;
}

const MENU: readonly (readonly [path: string, text: string])[] = [
  ['/dashboard', 'Dashboard'],
  ['/banks', 'Banks'],
  ['/pay', 'Pay'],
  ['/settings', 'Settings'],
];

/** The frame of every page. Works without scripts; the one there is copies a command. */
export function page(app: App, session: Session | undefined, content: Content): Reply {
  const notices = session?.notices.splice(0) ?? [];
  const markup = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${content.title} – Financroo</title>
<link rel="stylesheet" href="/assets/financroo.css">
<link rel="icon" href="/assets/financroo.svg" type="image/svg+xml">
<script src="/assets/copy.js" defer></script>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<a class="brand" href="/"><img src="/assets/financroo.svg" alt="" width="36" height="36"><span>Financroo</span></a>
${session === undefined ? '' : menu(session, content.current)}
</header>
<main id="content">
${notices.map(
  ({ kind, text, link }) =>
    html`<div class="notice ${kind}" role="${kind === 'problem' ? 'alert' : 'status'}"><p>${text}${link === undefined ? '' : html` <a href="${link.to}">${link.text}</a>`}</p></div>`,
)}
${content.body}
</main>
<footer><p>Financroo is the demo third party of the Portcullis sandbox: invented people, invented money, real protocols.</p></footer>
</body>
</html>
`;
  const again = content.again === undefined ? {} : { refresh: String(content.again) };
  return { status: content.status ?? 200, headers: { ...pageHeaders(app), ...again }, body: textOf(markup) };
}

function menu(session: Session, current: string | undefined): Markup {
  return html`<nav aria-label="Main"><ul>
${MENU.map(([path, text]) => html`<li><a href="${path}"${current === path ? html` aria-current="page"` : ''}>${text}</a></li>`)}
<li><form method="post" action="/sign-out">${formToken(session)}<button class="quiet small">Sign out ${session.user}</button></form></li>
</ul></nav>`;
}

/** Proves that a form came from one of our pages in this session. */
export function formToken(session: Session): Markup {
  return html`<input type="hidden" name="form_token" value="${session.formToken}">`;
}

/** A page that says what went wrong, and what to do. */
export function problemPage(
  app: App,
  session: Session | undefined,
  status: number,
  title: string,
  text: string,
  way: { readonly to: string; readonly text: string } = { to: '/', text: 'Go to the start' },
): Reply {
  const body = html`<h1>${title}</h1>
<div class="notice problem" role="alert"><p>${text}</p></div>
<p><a href="${way.to}">${way.text}</a></p>`;
  return page(app, session, { title, status, body });
}

/** Forms may lead on to the banks' pages: the browser counts redirects behind a form as its target. */
function pageHeaders(app: App): Readonly<Record<string, string>> {
  const banks = [...new Set(app.banks.map(({ issuer }) => new URL(issuer).origin))];
  const policy = [
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    "img-src 'self' data:",
    ["form-action 'self'", ...banks].join(' '),
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ];
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy.join('; '),
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    // Keeps the code of a callback's address from other sites, yet lets our own forms name their origin.
    'referrer-policy': 'same-origin',
    'cache-control': 'no-store',
  };
}
