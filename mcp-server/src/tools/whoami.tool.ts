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
    client: z.string().optional().describe('Absent: the issuer of the token names no client'),
    scopes: z.array(z.string()),
    issuer: z.string(),
    expires_at: z.iso.datetime().describe('When the access token of this call ends; clients renew it by themselves'),
    name: z.string().optional(),
    username: z.string().optional(),
    email: z.string().optional(),
    groups: z.array(z.string()).optional(),
    roles: z.array(z.string()).optional(),
    org: z.string().optional().describe('The organisation'),
  }),
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  run: (_, { principal }) => {
    const { groups, roles, ...texts } = principal.claims;
    const structured = {
      subject: principal.subject,
      ...(principal.clientId !== undefined && { client: principal.clientId }),
      scopes: [...principal.scopes].sort(),
      issuer: principal.issuer,
      expires_at: new Date(principal.expiresAt * 1000).toISOString(),
      ...texts,
      ...(groups && { groups: [...groups] }),
      ...(roles && { roles: [...roles] }),
    };
    const lines = [
      `You are ${whoIs(structured)}, signed in at ${structured.issuer}.`,
      structured.client !== undefined && `Client: ${structured.client}`,
      `Scopes: ${structured.scopes.join(' ')}`,
      structured.org && `Organisation: ${structured.org}`,
      groups && `Groups: ${groups.join(', ') || 'none'}`,
      roles && `Roles: ${roles.join(', ') || 'none'}`,
      `Access token valid until ${structured.expires_at}`,
    ];
    return { text: lines.filter(Boolean).join('\n'), structured };
  },
});

interface Caller {
  readonly subject: string;
  readonly name?: string;
  readonly username?: string;
  readonly email?: string;
}

/** The name that a person knows themselves by, with the subject that identifies them. */
function whoIs({ subject, name, username, email }: Caller): string {
  const [first, ...others] = [name, username, email].filter((known) => known !== undefined);
  return first === undefined ? subject : `${first} (${[...others, `subject ${subject}`].join(', ')})`;
}
