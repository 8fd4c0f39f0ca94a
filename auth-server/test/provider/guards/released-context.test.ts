/** Proves that the context of a request is released once its answer is sent, and not while anything may use it. */
import { get } from 'node:http';
import { serve } from '@mcp-oauth/shared/testing/listen';
import Koa from 'koa';
import { expect, it } from 'vitest';
import { releaseContext } from '../../../src/provider/guards/released-context.ts';

interface Seen {
  readonly ctx: Koa.Context;
  readonly oidc: object;
}

/** As the engine does it. */
function defineOidc(ctx: Koa.Context): Seen {
  const oidc = { ctx, entities: { Client: {} }, params: {} };
  Object.defineProperty(ctx, 'oidc', { get: () => oidc });
  return { ctx, oidc };
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

it('the context of a request refers to nothing any more once its answer is sent', async () => {
  const seen: Seen[] = [];
  const closed: Promise<unknown>[] = [];
  const app = new Koa().use(releaseContext).use((ctx) => {
    seen.push(defineOidc(ctx));
    closed.push(new Promise((resolve) => ctx.res.once('close', resolve)));
    ctx.body = ctx.path;
  });
  await using server = await serve(app.callback());
  for (const path of ['/a', '/b']) expect(await (await fetch(server.url + path)).text()).toBe(path);
  await Promise.all(closed);
  await turns();
  for (const { ctx, oidc } of seen) {
    expect([ctx.req, ctx.res, ctx.request, ctx.response]).toEqual([undefined, undefined, undefined, undefined]);
    expect(oidc).toMatchObject({ ctx: undefined, params: undefined, entities: {} });
  }
});

it('the context stays whole until its layers have ended, although the client has left', async () => {
  const { promise: left, resolve: leave } = Promise.withResolvers<void>();
  const { promise: ended, resolve: end } = Promise.withResolvers<readonly unknown[]>();
  let context: Koa.Context | undefined;
  const app = new Koa().use(releaseContext).use(async (ctx) => {
    context = ctx;
    defineOidc(ctx);
    leave();
    await new Promise((resolve) => ctx.res.once('close', resolve));
    await turns();
    end([ctx.path, ctx.oidc.ctx === ctx, ctx.oidc.params]);
  });
  await using server = await serve(app.callback());
  const asked = get(server.url).on('error', () => {});
  await left;
  asked.destroy();
  expect(await ended).toEqual(['/', true, {}]);
  await turns();
  expect(context?.req).toBeUndefined();
});

it('a request that the engine does not see keeps its context', async () => {
  const { promise: seen, resolve } = Promise.withResolvers<Koa.Context>();
  const app = new Koa().use(releaseContext).use((ctx) => {
    ctx.res.once('close', () => resolve(ctx));
    ctx.body = 'page';
  });
  await using server = await serve(app.callback());
  expect(await (await fetch(server.url)).text()).toBe('page');
  const ctx = await seen;
  await turns();
  expect(ctx.path).toBe('/');
});
