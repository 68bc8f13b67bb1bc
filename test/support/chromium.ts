import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

/** Where Debian puts it; another place comes from the environment. */
const EXECUTABLE = process.env.PORTCULLIS_TEST_CHROMIUM ?? '/usr/bin/chromium';
const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The system's Chromium, without a window. */
export function openChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE, args: ARGUMENTS });
}

/** How a page is looked at. */
export interface View {
  readonly width: number;
  readonly colorScheme: 'light' | 'dark';
  readonly locale?: string;
  /** False: the browser runs no scripts, as some customers' do not. */
  readonly scripts?: boolean;
}

/** A fresh browser profile. The test authority is not the system's, so certificates are not judged here: other tests do. */
export function openContext(browser: Browser, view: View): Promise<BrowserContext> {
  return browser.newContext({
    viewport: { width: view.width, height: 900 },
    colorScheme: view.colorScheme,
    // A change under way would be on the picture half changed.
    reducedMotion: 'reduce',
    locale: view.locale ?? 'en-GB',
    javaScriptEnabled: view.scripts ?? true,
    ignoreHTTPSErrors: true,
  });
}

/** True when the page can be scrolled sideways: something is wider than the screen. */
export function isTooWide(page: Page): Promise<boolean> {
  return page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth');
}
