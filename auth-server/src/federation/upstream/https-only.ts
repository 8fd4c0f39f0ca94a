/** Ensures that secrets and tokens go to an upstream over https (OAuth 2.1 §1.5): http is for this machine only. */
import { isLoopback } from '@mcp-oauth/shared/network/internal-host';
import type { Problem } from '@mcp-oauth/shared/settings/config';

/** @param urls of an upstream, by the variable that has each */
export const httpsOnly = (urls: Readonly<Record<string, string>>): readonly Problem[] =>
  Object.entries(urls)
    .filter(([, place]) => place.startsWith('http:') && !isLoopback(place))
    .map(([env, place]) => ({ env, message: `must use https unless it is on this machine (got "${place}")` }));
