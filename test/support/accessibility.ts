/**
 * Owns the checks of a page for people who cannot see it well, or use no mouse (WCAG 2.2): axe-core in the browser, both colour
 * schemes, 320 px (§1.4.10), and a screenshot of each.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';

const require = createRequire(import.meta.url);
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const SCREENSHOTS = fileURLToPath(new URL('../.screenshots/', import.meta.url));

const SCHEMES = ['light', 'dark'] as const;
const WIDTHS = [1_280, 320] as const;

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/**
 * Every violation of every rule of axe, and where the page is wider than its window.
 * @param name of the screenshots
 */
export async function barriersOf(page: Page, name: string): Promise<readonly string[]> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  // The driver evaluates this outside of the policy of the page, which allows no script.
  await page.evaluate(AXE);
  const found: string[] = [];
  for (const width of WIDTHS) {
    for (const colorScheme of SCHEMES) {
      const where = `${name}-${width}-${colorScheme}`;
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      await settle(page);
      await page.screenshot({ path: join(SCREENSHOTS, `${where}.png`), fullPage: true });
      found.push(...(await violations(page)).map((violation) => `${where}: ${violation}`));
      const overflow = Number(await page.evaluate('document.documentElement.scrollWidth - window.innerWidth'));
      if (overflow > 0) found.push(`${where}: ${overflow} px wider than the window`);
    }
  }
  return found;
}

/** Buttons fade in; a colour in between is not what a person reads. */
const settle = (page: Page): Promise<unknown> =>
  page.evaluate('for (const animation of document.getAnimations()) animation.finish()');

async function violations(page: Page): Promise<readonly string[]> {
  const found = (await page.evaluate('axe.run(document)')) as { readonly violations: readonly Violation[] };
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary = '' }) => `${id} at ${html.slice(0, 200)}: ${failureSummary}`),
  );
}

interface Stop {
  readonly tag: string;
  readonly text: string;
  /** Whether the browser shows that it has the focus (§2.4.7). */
  readonly isVisible: boolean;
}

/** Describes the focused element, unless it was described before. */
const NEXT_STOP = `(() => {
  const focused = document.activeElement;
  if (!focused || focused === document.body || 'wasFocused' in focused.dataset) return undefined;
  focused.dataset.wasFocused = '';
  const { outlineStyle, outlineWidth } = getComputedStyle(focused);
  return {
    tag: focused.tagName.toLowerCase(),
    text: ((focused.closest('label') ?? focused).textContent ?? '').trim(),
    isVisible: outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2,
  };
})()`;

/** Where the Tab key stops, until it leaves the page or begins again. */
export async function tabStops(page: Page): Promise<readonly Stop[]> {
  const stops: Stop[] = [];
  for (;;) {
    await page.keyboard.press('Tab');
    const stop = (await page.evaluate(NEXT_STOP)) as Stop | undefined;
    if (!stop) return stops;
    stops.push(stop);
  }
}
