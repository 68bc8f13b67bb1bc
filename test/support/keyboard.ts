import type { Locator, Page } from 'playwright-core';

/** More stops than any page has. */
const MOST_STOPS = 80;
/** An outline or a ring; what has neither cannot be found by somebody without a mouse. */
const FOCUS_IS_SEEN = `(() => {
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(document.activeElement);
  return (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || boxShadow !== 'none';
})()`;

/** Goes on with Tab until the place has the focus. @throws Error when it never has, or when a stop on the way cannot be seen */
export async function tabTo(page: Page, target: Locator): Promise<void> {
  const wanted = await target.elementHandle();
  for (let stops = 0; stops < MOST_STOPS; stops += 1) {
    await page.keyboard.press('Tab');
    const onPage = await page.evaluate('document.activeElement !== document.body');
    if (onPage && !(await page.evaluate(FOCUS_IS_SEEN)))
      throw new Error(`the focus cannot be seen: ${await page.evaluate('document.activeElement.outerHTML')}`);
    if (await wanted?.evaluate((element) => element === element.ownerDocument.activeElement)) return;
  }
  throw new Error(`no Tab leads to ${target}`);
}

/** Goes there and presses a key. */
export async function press(page: Page, target: Locator, key: 'Enter' | 'Space' = 'Enter'): Promise<void> {
  await tabTo(page, target);
  await page.keyboard.press(key);
}

/** Goes to a field and types. */
export async function type(page: Page, target: Locator, text: string): Promise<void> {
  await tabTo(page, target);
  await page.keyboard.type(text);
}
