/** Owns a server in a test that gives tokens to the workloads of one platform, by rules of its operator. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ASSERTION_GRANT } from '../../src/clients/client.ts';
import { form, ISSUER, MCP, type RunningServer, read, type ServerOptions, startServer } from './running-server.ts';
import { startTrustedIssuer, type TrustedIssuer } from './trusted-issuer.ts';

const DEPLOY = {
  when: { sub: 'repo:acme/app:ref:refs/heads/main', repository_owner: 'acme' },
  subject: 'deploy',
  client: 'ci',
  resource: MCP,
  scopes: ['mcp:tools'],
};

export interface Workloads extends AsyncDisposable {
  readonly platform: TrustedIssuer;
  readonly server: RunningServer;
  /** The JWT of a job of acme/app, with other claims and header parameters. */
  jwt(claims?: Record<string, unknown>, header?: object): Promise<string>;
  present(assertion: string, parameters?: Record<string, string>): Promise<Response>;
  /** What the client is told, and the reason in the log and in the audit. */
  refused(assertion: string, parameters?: Record<string, string>): Promise<Record<string, unknown>>;
}

/** The path of a file with rules; it is gone after the test. */
export function rulesFile(rules: unknown): string {
  const folder = mkdtempSync(join(tmpdir(), 'workloads-'));
  const path = join(folder, 'rules.json');
  writeFileSync(path, typeof rules === 'string' ? rules : JSON.stringify(rules));
  return path;
}

export async function startWorkloads(
  { rules = [DEPLOY], env = {} }: { rules?: readonly object[]; env?: Record<string, string> } = {},
  options: ServerOptions = {},
): Promise<Workloads> {
  const platform = await startTrustedIssuer();
  const server = await startServer({
    fetch,
    ...options,
    env: {
      CLIENTS: JSON.stringify([
        { client_id: 'ci', grant_types: [ASSERTION_GRANT] },
        { client_id: 'other', grant_types: [ASSERTION_GRANT] },
      ]),
      WORKLOAD_ISSUERS: 'actions',
      WORKLOAD_ISSUER_ACTIONS_ISSUER: platform.url,
      WORKLOAD_ISSUER_ACTIONS_RULES: rulesFile(rules),
      ...env,
    },
  });
  const present: Workloads['present'] = (assertion, parameters = {}) =>
    server.fetch('/token', form({ grant_type: ASSERTION_GRANT, client_id: 'ci', assertion, ...parameters }));
  return {
    platform,
    server,
    present,
    jwt: (claims = {}, header = {}) =>
      platform.sign(
        { aud: ISSUER, sub: DEPLOY.when.sub, repository_owner: 'acme', jti: crypto.randomUUID(), ...claims },
        { typ: 'JWT', ...header },
      ),
    refused: async (...request) => {
      const answer = await present(...request);
      const { error, error_description: description } = await read(answer);
      const line = server.log.findLast(({ msg }) => msg === 'token request refused');
      const entry = server.entries.findLast(({ outcome }) => outcome === 'refused');
      const [reason, audited] = [line, entry].map((said) => String(said?.reason));
      return { status: answer.status, error, description, reason, audited };
    },
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await platform[Symbol.asyncDispose]();
    },
  };
}
