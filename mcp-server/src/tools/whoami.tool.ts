/** Owns the tool `whoami`: shows the content of the caller's access token (RFC 9068 §2.2). */

import { z } from 'zod';
import { defineTool } from '../protocol/define.ts';

export default defineTool({
  name: 'whoami',
  title: 'Who am I?',
  description: 'Tells as whom you are signed in, through which client, with which scopes, and until when.',
  input: z.object({}),
  output: z.object({
    subject: z.string(),
    client: z.string(),
    scopes: z.array(z.string()),
    issuer: z.string(),
    expires_at: z.iso.datetime().describe('When the access token of this call ends; clients renew it by themselves'),
  }),
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  run: (_, { principal }) => {
    const structured = {
      subject: principal.subject,
      client: principal.clientId,
      scopes: [...principal.scopes].sort(),
      issuer: principal.issuer,
      expires_at: new Date(principal.expiresAt * 1000).toISOString(),
    };
    const lines = [
      `You are ${structured.subject}, signed in at ${structured.issuer}.`,
      `Client: ${structured.client}`,
      `Scopes: ${structured.scopes.join(' ')}`,
      `Access token valid until ${structured.expires_at}`,
    ];
    return { text: lines.join('\n'), structured };
  },
});
