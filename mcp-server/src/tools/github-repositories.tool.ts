/** Owns the tool `github_repositories`: the repositories of the caller at GitHub, read with their token. */

import { z } from 'zod';
import { defineTool } from '../protocol/define.ts';
import { githubAnswer } from './github/answer.ts';

/** GitHub REST API, "List repositories for the authenticated user". */
const repositories = z.array(
  z.object({
    full_name: z.string(),
    html_url: z.string(),
    private: z.boolean(),
    description: z.string().nullish(),
    language: z.string().nullish(),
    pushed_at: z.string().nullish(),
  }),
);

export default defineTool({
  name: 'github_repositories',
  title: 'My GitHub repositories',
  description:
    'Lists repositories that the user can see at GitHub with the connected account, those with the latest changes first. Private ones are in the list only if the user has allowed it.',
  upstream: 'github',
  input: z.object({
    limit: z.int().min(1).max(100).default(30).describe('How many to list at most'),
    owned: z.boolean().default(false).describe('Only those that belong to the user'),
  }),
  output: z.object({
    repositories: z.array(
      z.object({
        name: z.string().describe('With its owner, such as octocat/hello-world'),
        url: z.string(),
        private: z.boolean(),
        description: z.string().optional(),
        language: z.string().optional(),
        pushed_at: z.string().optional().describe('Time of the latest change'),
      }),
    ),
  }),
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: true },
  run: async ({ limit, owned }, context) => {
    const query = new URLSearchParams({
      per_page: String(limit),
      sort: 'pushed',
      ...(owned && { affiliation: 'owner' }),
    });
    const found = await githubAnswer(context, `/user/repos?${query}`, repositories);
    const structured = {
      repositories: found.slice(0, limit).map(({ full_name: name, html_url: url, ...more }) => ({
        name,
        url,
        private: more.private,
        ...(more.description && { description: more.description }),
        ...(more.language && { language: more.language }),
        ...(more.pushed_at && { pushed_at: more.pushed_at }),
      })),
    };
    const lines = structured.repositories.map(
      ({ name, private: isPrivate, description }) =>
        `- ${name}${isPrivate ? ' (private)' : ''}${description ? `: ${description}` : ''}`,
    );
    return { text: lines.join('\n') || 'There are no repositories that this server may see.', structured };
  },
});
