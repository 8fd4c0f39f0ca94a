/** Owns the tool `github_profile`: the caller's own account at GitHub, read with their token. */

import { z } from 'zod';
import { defineTool } from '../protocol/define.ts';
import { githubAnswer } from './github/answer.ts';

/** GitHub REST API, "Get the authenticated user". */
const user = z.object({
  login: z.string(),
  name: z.string().nullish(),
  html_url: z.string(),
  company: z.string().nullish(),
  public_repos: z.int().optional(),
  followers: z.int().optional(),
});

export default defineTool({
  name: 'github_profile',
  title: 'My GitHub profile',
  description:
    'Reads the GitHub account that the user has connected: login, name, company and number of public repositories.',
  upstream: 'github',
  input: z.object({}),
  output: z.object({
    login: z.string(),
    name: z.string().optional(),
    url: z.string(),
    company: z.string().optional(),
    public_repositories: z.int().optional(),
    followers: z.int().optional(),
  }),
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: true },
  run: async (_, context) => {
    const { login, name, html_url: url, company, ...counts } = await githubAnswer(context, '/user', user);
    const structured = {
      login,
      ...(name && { name }),
      url,
      ...(company && { company }),
      ...(counts.public_repos !== undefined && { public_repositories: counts.public_repos }),
      ...(counts.followers !== undefined && { followers: counts.followers }),
    };
    const text = [
      `You are ${name && name !== login ? `${name} (${login})` : login} at GitHub: ${url}`,
      company && `Company: ${company}`,
      counts.public_repos !== undefined && `Public repositories: ${counts.public_repos}`,
    ];
    return { text: text.filter(Boolean).join('\n'), structured };
  },
});
