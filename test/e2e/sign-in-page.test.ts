/**
 * Proves, in a real Chromium, behaviour of the sign-in page that only a browser shows: clicks that come too early, and
 * disabled cookies.
 */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useBrowser } from '../support/browser.ts';
import { OAuthClient } from '../support/oauth-client.ts';
import { Stack } from '../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start({ SERVER_NAME: 'Acme Notes' });
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
});
const browser = useBrowser();

/** Sets the page's animations to a time after it was shown, however slow the machine is. */
const atMoment = (page: Page, milliseconds: number): Promise<number> =>
  page
    .locator('form.late button')
    .first()
    .evaluate((button, moment) => {
      button.style.animation = 'none';
      button.getBoundingClientRect();
      button.style.animation = '';
      const animations = button.getAnimations();
      for (const animation of animations) {
        animation.pause();
        animation.currentTime = moment;
      }
      return animations.length;
    }, milliseconds);

async function clickInTheMiddle(page: Page): Promise<void> {
  const box = await page.locator('form.late button').first().boundingBox();
  if (!box) throw new Error('no button');
  await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
}

describe('RFC 6749 §10.13 the Approve button', () => {
  it('Approve takes no click for 0.7 s, so that a double click started elsewhere approves nothing', async () => {
    const client = await OAuthClient.register(stack);
    const page = await browser().newPage();
    await page.goto(client.authorizationUrl().href);
    const sent: string[] = [];
    page.on('request', (request) => sent.push(request.method()));
    for (const moment of [0, 690]) {
      expect(await atMoment(page, moment)).toBe(1);
      await clickInTheMiddle(page);
    }
    expect(sent).toEqual([]);
    await atMoment(page, 700);
    await Promise.all([page.waitForURL(`${stack.idpUrl}/**`), clickInTheMiddle(page)]);
    await page.close();
  });

  it('Deny takes a click at once', async () => {
    const client = await OAuthClient.register(stack);
    const page = await browser().newPage();
    await page.goto(client.authorizationUrl().href);
    expect(await page.getByRole('button', { name: 'Deny' }).evaluate((deny) => deny.getAnimations().length)).toBe(0);
    await page.close();
  });
});

describe('RFC 9728 §2 the title of the page', () => {
  it('the title of the page has the name that the operator gave the MCP server', async () => {
    const client = await OAuthClient.register(stack);
    const page = await browser().newPage();
    await page.goto(client.authorizationUrl().href);
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('Allow Sample client to use Acme Notes?');
    await page.close();
  });
});
