/** Proves that `explain-token` asks about an opaque token where the server does, and says what the answer means. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkOf, explain, refusedIn, tell } from '../support/explained-token.ts';
import { type ForeignServer, startServer } from '../support/foreign.ts';
import { type AskedIssuer, activeAnswer, CLIENT, startAskedIssuer } from '../support/introspection-server.ts';
import { signToken } from '../support/issuer.ts';

const TOKEN = 'opaque-token-with-thirty-characters';

let issuer: AskedIssuer;
let server: ForeignServer;
beforeEach(async () => {
  issuer = await startAskedIssuer();
  server = await startServer(issuer.settings);
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await issuer.close();
});

const active = (more: object = {}) => activeAnswer(server, { iss: issuer.url, token_type: 'Bearer', ...more });

describe('explain-token of an opaque token', () => {
  it('RFC 7662 §2.1 explain-token asks the issuer, and says whose the token is', async () => {
    issuer.known.set(TOKEN, active());
    const { status, stdout } = await explain(server, issuer.settings, { token: TOKEN });
    expect([status, issuer.questions.length]).toEqual([0, 1]);
    expect(stdout).toContain('✓ form: opaque\n✓ introspection: active\n');
    expect(stdout).toContain('✓ subject: ada\n✓ client: desk\n✓ scope: mcp:tools\n✓ tools: ');
    expect(stdout).not.toContain(CLIENT.secret);
  });

  it('RFC 7662 §2.2 explain-token names what the server refuses in an answer', async () => {
    expect(refusedIn(await tell(server, issuer.settings, TOKEN))).toMatchObject([
      { check: 'introspection', reason: 'inactive' },
    ]);
    issuer.known.set(TOKEN, active({ aud: 'x' }));
    const told = await tell(server, issuer.settings, TOKEN);
    expect(refusedIn(told)).toMatchObject([{ check: 'audience', found: 'x', setting: 'AUDIENCES' }]);
    expect(await server.whoami(TOKEN)).toMatchObject({ reason: 'wrong_audience' });
    issuer.known.set(TOKEN, active({ scope: 'other' }));
    expect(refusedIn(await tell(server, issuer.settings, TOKEN))).toMatchObject([{ reason: 'insufficient_scope' }]);
  });

  it('explain-token says why the issuer gives no answer', async () => {
    issuer.known.set(TOKEN, (response) => void response.writeHead(500).end());
    const told = await tell(server, issuer.settings, TOKEN);
    expect(refusedIn(told)).toMatchObject([
      { reason: 'introspection_unavailable', setting: 'INTROSPECTION_URL', found: expect.stringContaining('500') },
    ]);
  });

  it('explain-token --offline does not ask, and sends no JWT to the issuer', async () => {
    const told = await tell(server, issuer.settings, TOKEN, ['--offline']);
    expect(told.status).toBe(0);
    expect(checkOf(told, 'introspection')?.result).toBe('unchecked');
    const jwt = await signToken({ key: issuer.key, claims: active({ active: undefined, token_type: undefined }) });
    expect(await tell(server, issuer.settings, jwt)).toMatchObject({ status: 0 });
    expect(issuer.questions).toEqual([]);
  });
});
