/** Owns the closed list of audit events of both services, each with its meaning: docs/audit.md is generated from it. */

export interface EventDeclaration {
  /** Which service writes it. */
  readonly by: 'auth-server' | 'mcp-server' | 'both';
  /** One sentence for the operator. */
  readonly doc: string;
  /** Anybody can cause it without a token or a sign-in, so a process writes a limited number of them a minute. */
  readonly ofStrangers?: true;
}

export const EVENTS = {
  'audit.started': { by: 'both', doc: 'The first entry of a process, and of its chain.' },
  'audit.ended': { by: 'both', doc: 'The last entry of a process. A process that was killed has none.' },
  'audit.lost': { by: 'both', doc: 'The sink did not take entries for a time; `count` of them are lost.' },
  'audit.limited': {
    by: 'both',
    doc: 'More events of one kind than the limit for strangers; `count` of them were left out within a minute.',
  },
  'admin.acted': { by: 'both', doc: 'A command changed something: `command` names it, `target` what it changed.' },

  'authorization.requested': {
    by: 'auth-server',
    doc: 'A client sent a person to the sign-in page: the first step of a flow.',
    ofStrangers: true,
  },
  'authorization.refused': {
    by: 'auth-server',
    doc: 'An authorization request was refused, or ended without an approval.',
    ofStrangers: true,
  },
  'authorization.granted': { by: 'auth-server', doc: 'A client got an authorization code, or a device its approval.' },
  'sign-in.started': { by: 'auth-server', doc: 'A person was sent to an identity provider.', ofStrangers: true },
  'sign-in.succeeded': { by: 'auth-server', doc: 'A person came back from the identity provider and may come in.' },
  'sign-in.refused': { by: 'auth-server', doc: 'A person signed in there and may not come in: a rule, or SCIM.' },
  'sign-in.failed': {
    by: 'auth-server',
    doc: 'The identity provider gave an error, or no usable answer.',
    ofStrangers: true,
  },
  'connection.made': {
    by: 'auth-server',
    doc: 'A person connected an account at an upstream for tools: `connector` and `scopes` say which. `client` is the one for which the tools act.',
  },
  'connection.refused': {
    by: 'auth-server',
    doc: 'No account was connected: the link was for somebody else, the person cancelled, or the account may not be theirs.',
  },
  'connection.failed': {
    by: 'auth-server',
    doc: 'No account was connected: the upstream gave an error, or no usable answer.',
  },
  'connection.ended': { by: 'auth-server', doc: 'A person disconnected an account on the account page.' },
  'consent.approved': { by: 'auth-server', doc: 'A person approved on the page: scopes, organisation.' },
  'consent.denied': { by: 'auth-server', doc: 'A person pressed Deny.', ofStrangers: true },
  'page.refused': {
    by: 'auth-server',
    doc: 'A person saw an error page. Its reference is the one of this entry.',
    ofStrangers: true,
  },
  'device.requested': { by: 'auth-server', doc: 'A device got a code to show (RFC 8628).', ofStrangers: true },
  'device.refused': {
    by: 'auth-server',
    doc: 'A device code was not issued, or the code that a person typed was refused.',
    ofStrangers: true,
  },
  'token.issued': { by: 'auth-server', doc: 'A client got its first tokens: `grantType` says for what.' },
  'token.refreshed': { by: 'auth-server', doc: 'A client refreshed its tokens.' },
  'token.exchanged': {
    by: 'auth-server',
    doc: 'A client exchanged the access token of a person (RFC 8693): `target` says for what, `subjectClient` which client the person uses, `actors` who acts, from the last to the first.',
  },
  'exchange.refused': {
    by: 'auth-server',
    doc: 'A client that proved its key asked for an exchange and did not get a token.',
  },
  'token.refused': { by: 'auth-server', doc: 'A token request was refused.', ofStrangers: true },
  'token.reused': {
    by: 'auth-server',
    doc: 'A code or refresh token was used a second time: it was stolen, or a client sent it twice. The grant is revoked.',
  },
  'personal-token.made': { by: 'auth-server', doc: 'A person made a personal token: `token` is its id.' },
  'personal-token.ended': {
    by: 'auth-server',
    doc: 'A token of a person or service ended alone: by its owner, by a command, or because its person or the settings allow it no more.',
  },
  'person.refused': {
    by: 'auth-server',
    doc: 'A person may not come in (any more): found at a refresh, a code exchange, an exchange of a token or an ID-JAG.',
  },
  'access.ended': {
    by: 'auth-server',
    doc: 'A grant, all grants of a client or a person, a key, or everything before a moment ended: `target` says what, the reason who started it.',
  },
  'client.registered': { by: 'auth-server', doc: 'A client registered itself (RFC 7591).' },
  'client.changed': { by: 'auth-server', doc: 'A client changed its registration (RFC 7592).' },
  'client.removed': { by: 'auth-server', doc: 'A client removed its registration (RFC 7592).' },
  'client.refused': { by: 'auth-server', doc: 'A registration, or a change of one, was refused.', ofStrangers: true },
  'person.signed-out': { by: 'auth-server', doc: 'A person signed out here, or the identity provider reported it.' },
  'person.deactivated': { by: 'auth-server', doc: 'The identity provider deactivated a person over SCIM.' },
  'person.activated': { by: 'auth-server', doc: 'The identity provider activated a person again over SCIM.' },
  'key.published': { by: 'auth-server', doc: 'A new signing key was published; it signs later.' },
  'key.changed': { by: 'auth-server', doc: 'Other keys sign or are published than before.' },

  'tool.called': {
    by: 'mcp-server',
    doc: 'A tool was called: its name, outcome, duration in milliseconds, and the size of arguments and result. `asked`: it ran up to a question to the client.',
  },
  'access.refused': {
    by: 'mcp-server',
    doc: 'A request was refused: its token or proof is not valid, or a scope is missing.',
    ofStrangers: true,
  },
  'proof.refused': { by: 'mcp-server', doc: 'A token came with a wrong or used proof of its key: it may be stolen.' },
  'session.opened': { by: 'mcp-server', doc: 'A client opened a session of MCP.' },
  'session.ended': {
    by: 'mcp-server',
    doc: 'A session was ended: by its client, or as its token was revoked. Sessions that expire, or make room for a newer one, have no entry.',
  },
  'session.refused': { by: 'mcp-server', doc: 'A session of somebody else was asked for, or a limit was reached.' },
} as const satisfies Readonly<Record<string, EventDeclaration>>;

export type AuditEvent = keyof typeof EVENTS;

/** A markdown table, one row for each event. */
export function eventsTable(): string {
  const rows = Object.entries<EventDeclaration>(EVENTS).map(
    ([event, { by, doc, ofStrangers }]) => `| \`${event}\` | ${by} | ${doc} | ${ofStrangers ? 'yes' : ''} |`,
  );
  return ['| event | written by | meaning | limited |', '| --- | --- | --- | --- |', ...rows].join('\n');
}
