import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openChromium } from '../support/chromium.ts';

/** What the README shows: a screenshot of the browser tests, by name, and how much of it. */
const PICTURES = [
  { name: 'financroo', from: 'financroo-dashboard-1440-light.png', width: 760, height: 820 },
  { name: 'consent', from: 'gobank-consent-1440-light.png', width: 760, height: 700 },
  { name: 'portal', from: 'portal-detail-1440-light.png', width: 760, height: 620 },
] as const;

const SCREENSHOTS = join(import.meta.dirname, '..', '..', 'var', 'screenshots');
const TARGET = join(import.meta.dirname, '..', '..', 'docs', 'pictures');

/** Makes the README's pictures from what the browser tests left under var/screenshots: run them first. */
async function keepPictures(): Promise<void> {
  await mkdir(TARGET, { recursive: true });
  const browser = await openChromium();
  try {
    for (const { name, from, width, height } of PICTURES) {
      const page = await browser.newPage({ viewport: { width, height } });
      const source = (await readFile(join(SCREENSHOTS, from))).toString('base64');
      await page.setContent(
        `<body style="margin:0"><img style="width:${width}px" src="data:image/png;base64,${source}"></body>`,
      );
      await writeFile(join(TARGET, `${name}.png`), await page.screenshot());
      await page.close();
    }
  } finally {
    await browser.close();
  }
}

await keepPictures();
