/** Owns the requests about users (RFC 7644 §3): what is read of each, what it changes, its answer and its line in the log. */

import { HttpError } from '@mcp-oauth/shared/errors';
import { readBounded } from '@mcp-oauth/shared/http/request/bounded-body';
import type { Context } from 'koa';
import { stateOf } from '../../context-state.ts';
import { invalid, readUser, type UserChanges } from '../../provisioning/attributes.ts';
import { parseFilter } from '../../provisioning/filter.ts';
import { readPatch } from '../../provisioning/patch.ts';
import { type Change, type Users, unknownUser } from '../../provisioning/users.ts';
import { answer, listOf, locationOf, resourceOf } from './answer.ts';
import { PAGE_SIZE } from './discovery.ts';

export interface Endpoint {
  readonly connector: string;
  /** URL of the endpoint, without a slash at the end. */
  readonly base: string;
  readonly users: Users;
}

export async function listUsers(ctx: Context, { base, users }: Endpoint): Promise<void> {
  const query = new URLSearchParams(ctx.search);
  const [filter, ...others] = query.getAll('filter');
  if (others.length > 0) throw invalid('invalidFilter', 'There is more than one filter.');
  const count = Math.min(numberOf(query, 'count', PAGE_SIZE, 0), PAGE_SIZE);
  const startIndex = numberOf(query, 'startIndex', 1, 1);
  if (filter === undefined) {
    const page = await users.list({ startIndex, count });
    const resources = page.users.map((user) => resourceOf(user, base));
    return answer(ctx, 200, listOf({ resources, total: page.total, startIndex }));
  }
  const wanted = parseFilter(filter);
  const user = await users.findBy(wanted);
  const userName = wanted.attribute === 'userName' ? wanted.value : undefined;
  const found = user ? [resourceOf(user, base, userName)] : [];
  const resources = found.slice(startIndex - 1, startIndex - 1 + count);
  return answer(ctx, 200, listOf({ resources, total: found.length, startIndex }));
}

/** RFC 7644 §3.4.2.4: a value below the least one counts as that. */
function numberOf(query: URLSearchParams, name: string, fallback: number, least: number): number {
  const text = query.get(name);
  if (text === null) return fallback;
  if (!/^-?\d{1,15}$/.test(text)) throw invalid('invalidValue', `${name} must be a whole number.`);
  return Math.max(Number(text), least);
}

export async function createUser(ctx: Context, endpoint: Endpoint): Promise<void> {
  const sent = readUser(await readJson(ctx));
  const { externalId } = sent;
  if (externalId === undefined) {
    throw invalid('invalidValue', 'externalId is required: the subject of the person, which this server gets as sub.');
  }
  const change = await endpoint.users.create({ ...sent, externalId });
  note(ctx, endpoint, change);
  ctx.set('Location', locationOf(change.user, endpoint.base));
  answer(ctx, 201, resourceOf(change.user, endpoint.base, sent.userName));
}

export async function showUser(ctx: Context, { base, users }: Endpoint, id: string): Promise<void> {
  const user = await users.find(id);
  if (!user) throw unknownUser();
  answer(ctx, 200, resourceOf(user, base));
}

/** RFC 7644 §3.5.1. Okta leaves attributes out of a PUT that it does not change, so they stay as they are. */
export const replaceUser = async (ctx: Context, endpoint: Endpoint, id: string): Promise<void> =>
  changeUser(ctx, endpoint, id, readUser(await readJson(ctx)));

export const patchUser = async (ctx: Context, endpoint: Endpoint, id: string): Promise<void> =>
  changeUser(ctx, endpoint, id, readPatch(await readJson(ctx)));

async function changeUser(ctx: Context, endpoint: Endpoint, id: string, changes: UserChanges): Promise<void> {
  const change = await endpoint.users.change(id, changes);
  note(ctx, endpoint, change);
  answer(ctx, 200, resourceOf(change.user, endpoint.base, changes.userName));
}

export async function removeUser(ctx: Context, { connector, users }: Endpoint, id: string): Promise<void> {
  await users.remove(id);
  stateOf(ctx).log.info({ connector, user: id }, 'person deactivated: the provider removed the user');
  const details = { connector, user: id };
  stateOf(ctx).audit({ event: 'person.deactivated', outcome: 'ok', reason: 'removed', details });
  ctx.status = 204;
}

/** One line for each change of state. The id is random and says nothing about the person. */
function note(ctx: Context, { connector }: Endpoint, { user, wasActive }: Change): void {
  if (user.active === wasActive) return;
  const what = user.active ? (wasActive === undefined ? 'provisioned' : 'activated') : 'deactivated';
  const details = { connector, user: user.id };
  stateOf(ctx).log.info(details, `person ${what} by the provider`);
  if (what !== 'provisioned') stateOf(ctx).audit({ event: `person.${what}`, outcome: 'ok', details });
}

const LARGEST_BODY = 65_536;

/** The type of the body is not checked: RFC 7644 §3.1 permits two, and some providers send none. */
async function readJson(ctx: Context): Promise<unknown> {
  const body = await readBounded(ctx, LARGEST_BODY);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw new HttpError(400, 'invalidSyntax', 'The body must be JSON in UTF-8.', { cause });
  }
}
