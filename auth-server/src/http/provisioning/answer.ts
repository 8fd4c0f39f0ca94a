/** Owns the form of SCIM answers: a user, a list (RFC 7644 §3.4.2), an error (§3.12), all as `application/scim+json` (§8.1). */
import { HttpError } from '@mcp-oauth/shared/errors';
import { reported } from '@mcp-oauth/shared/http/error-boundary';
import type { Context } from 'koa';
import { stateOf } from '../../context-state.ts';
import type { ScimType } from '../../provisioning/attributes.ts';
import type { User } from '../../provisioning/users.ts';

const TYPES: ReadonlySet<string> = new Set<ScimType>([
  'invalidFilter', 'invalidPath', 'invalidSyntax', 'invalidValue', 'mutability', 'noTarget', 'uniqueness',
]); // biome-ignore format: one list

export const USER_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:User';
const MESSAGES = 'urn:ietf:params:scim:api:messages:2.0';

export function answer(ctx: Context, status: number, body: object): void {
  ctx.status = status;
  ctx.set({ 'Content-Type': 'application/scim+json; charset=utf-8', 'Cache-Control': 'no-store' });
  ctx.body = JSON.stringify(body);
}

/** Runs `work`, and answers what it throws. The status is a text in an error (§3.12). */
export async function withScimErrors(ctx: Context, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    const { status, code, message, headers } = reported(thrown, stateOf(ctx).log);
    ctx.set(headers);
    const scimType = TYPES.has(code) ? { scimType: code } : {};
    answer(ctx, status, { schemas: [`${MESSAGES}:Error`], status: String(status), ...scimType, detail: message });
  }
}

export const notFound = (): HttpError => new HttpError(404, 'not_found', 'There is nothing at this address.');

/**
 * @param base URL of the SCIM endpoint
 * @param userName as the request has it: it is not stored, and RFC 7643 §4.1.1 requires one, so otherwise it is the externalId
 */
export const resourceOf = (user: User, base: string, userName = user.externalId): object => ({
  schemas: [USER_SCHEMA],
  id: user.id,
  externalId: user.externalId,
  userName,
  active: user.active,
  meta: {
    resourceType: 'User',
    created: timeOf(user.createdAt),
    lastModified: timeOf(user.changedAt),
    location: locationOf(user, base),
  },
});

export const locationOf = ({ id }: Pick<User, 'id'>, base: string): string => `${base}/Users/${id}`;

const timeOf = (seconds: number): string => new Date(seconds * 1_000).toISOString();

export interface List {
  readonly resources: readonly object[];
  readonly total?: number;
  readonly startIndex?: number;
}

export const listOf = ({ resources, total = resources.length, startIndex = 1 }: List): object => ({
  schemas: [`${MESSAGES}:ListResponse`],
  totalResults: total,
  startIndex,
  itemsPerPage: resources.length,
  Resources: resources,
});
