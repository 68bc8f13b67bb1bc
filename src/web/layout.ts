import { type Html, html } from '../platform/html.ts';
import { languages } from './messages/catalogue.ts';
import type { PageSite, PageVisit } from './visit.ts';

/** One page's own part. */
export interface PageContent {
  readonly title: string;
  /** True when the page begins with a problem: the title says so first, as a screen reader starts there. */
  readonly problem: boolean;
  /** False where the page cannot be asked for again in another language. */
  readonly languageChoice: boolean;
  /** What of the page's address stays when it is asked for in another language. */
  readonly parameters?: URLSearchParams;
  /** What stands in the bank's bar beside it, such as the way out. */
  readonly tools?: Html;
  readonly body: Html;
}

/** What the frame needs of a visit; the engine's error page has no more. */
export interface Frame extends Pick<PageVisit, 'say' | 'language'> {
  readonly site: Pick<PageSite, 'bank' | 'origin' | 'assets' | 'texts'>;
}

/** The frame of every page: the bank's bar, the content, the foot. Works without scripts, and there are none. */
export function layout(frame: Frame, content: PageContent): Html {
  const { site, say, language } = frame;
  const { bank, assets, origin } = site;
  const folder = `/${bank.id}/assets`;
  const title = content.problem ? `${say('page.problem')}: ${content.title}` : content.title;
  return html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title} – ${bank.name}</title>
<link rel="stylesheet" href="${folder}/${assets.stylesheet}">
<link rel="icon" href="${folder}/${assets.logo}">
</head>
<body>
<a class="skip" href="#content">${say('page.skip')}</a>
<header>
<p class="bank"><img src="${folder}/${assets.logo}" alt="" width="36" height="36"><span>${bank.name}</span></p>
<div class="tools">${content.languageChoice ? languageChoice(frame, content.parameters) : ''}${content.tools ?? ''}</div>
</header>
<main id="content">
${content.body}
</main>
<footer>
<p>${say('page.address', { bank: bank.name, origin })}</p>
${bank.addressLine === undefined ? '' : html`<p>${bank.addressLine}</p>`}
</footer>
</body>
</html>
`;
}

function languageChoice({ site, say, language }: Frame, parameters = new URLSearchParams()): Html {
  const items = languages.map((other) => {
    const name = site.texts(other)('language.name');
    return other === language
      ? html`<li><span lang="${other}" aria-current="true">${name}</span></li>`
      : html`<li><a href="?${new URLSearchParams([...parameters, ['lang', other]]).toString()}" lang="${other}" hreflang="${other}">${name}</a></li>`;
  });
  return html`<nav class="languages" aria-label="${say('language.choose')}"><ul>${items}</ul></nav>`;
}
