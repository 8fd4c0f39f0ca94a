/** Owns the reading of an answer of GitHub's API: its limits, and what a tool says when GitHub refuses. */
import { readText } from '@mcp-oauth/shared/documents/remote-document';
import type { z } from 'zod';
import { type Context, ToolError } from '../../protocol/define.ts';

/** GitHub REST API, "API Versions": answers keep this form. */
const HEADERS = { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' };

const MAX_BYTES = 4 * 1024 * 1024;

/** @throws ToolError for anything but an answer of the expected form */
export async function githubAnswer<T>(
  { fetch }: Pick<Context, 'fetch'>,
  path: string,
  schema: z.ZodType<T>,
): Promise<T> {
  const response = await fetch('github', path, { headers: HEADERS });
  if (!response.ok) {
    await response.body?.cancel();
    throw new ToolError(refusal(response));
  }
  const text = await readText(response, 'GitHub', MAX_BYTES).catch((cause: unknown) => {
    throw new ToolError('The answer of GitHub could not be read. Try again later.', { cause });
  });
  const found = schema.safeParse(parsed(text));
  if (found.success) return found.data;
  throw new ToolError('GitHub answered in a form that this tool does not know.');
}

/** GitHub REST API, "Rate limits": 403 or 429, and nothing remains. */
function refusal({ status, headers }: Response): string {
  const isLimited = status === 429 || (status === 403 && headers.get('x-ratelimit-remaining') === '0');
  if (isLimited) return 'GitHub allows no more requests with this account for now. Try again later.';
  if (status === 401)
    return 'GitHub does not accept the connection of the user any more. Call again to connect it anew.';
  if (status === 403) return 'GitHub refuses this: the user has not allowed this server to read it.';
  return `GitHub answered ${status}.`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
