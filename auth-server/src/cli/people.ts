/** Owns `people`: what the rules say about a person, before the person tries it. */
import { readFileSync } from 'node:fs';
import { type Command, type CommandGroup, type Invocation, UsageError } from '@mcp-oauth/shared/cli/command';
import { json, showList } from '@mcp-oauth/shared/cli/list';
import { systemClock } from '@mcp-oauth/shared/clock';
import { StartError } from '@mcp-oauth/shared/errors';
import { createLogger } from '@mcp-oauth/shared/logger';
import { comparableEmail, domainOf } from '../access/rules/address.ts';
import { composeAccess } from '../compose/access.ts';
import type { Config } from '../config.ts';
import { orgClaimsOf, readOrganisations } from '../federation/claims/organisations.ts';
import { type Identity, UpstreamError } from '../federation/connector.ts';
import { type ConfiguredConnector, type OpenConnector, openConnectors } from '../federation/registry.ts';
import { acceptIdentity } from '../federation/subject.ts';
import { configOf } from './store.ts';

export const peopleCommands = (): CommandGroup => ({
  name: 'people',
  summary: 'The rules that say who may come in (PEOPLE_ALLOW, CONNECTOR_<ID>_ALLOW, SCOPE_RULES).',
  commands: [check],
});

const check: Command = {
  name: 'check',
  summary: 'Show what would happen if a person signed in, and which rule decides.',
  details:
    'Without --claims the address counts as verified, and nothing else is known of the person. The file is a JSON object with the claims of an id token; for GitHub an object with the answers of its API: user, emails, orgs, teams. `-` reads standard input. Exits with 1 if no connector lets the person in.',
  parameters: ['email'],
  options: {
    claims: { type: 'string', value: 'file', doc: 'Claims of the person at the provider.' },
    connector: { type: 'string', value: 'id', doc: 'Check this connector only.' },
    json,
  },
  run: async (invocation) => {
    const config = await configOf(invocation.env);
    const rows = await rowsOf(config, invocation);
    showList(invocation, rows, 'There are no connectors.');
    if (invocation.options.claims === undefined) invocation.stderr.write(ASSUMED);
    return rows.some(({ result }) => result === 'allowed') ? 0 : 1;
  },
};

const ASSUMED =
  'The address counts as verified here, and groups and other claims are not known: --claims <file> checks them.\n';

async function rowsOf(config: Config, invocation: Invocation) {
  const { email = '' } = invocation.parameters;
  if (comparableEmail(email) === undefined) throw new UsageError(`<email>: ${JSON.stringify(email)} is not an address`);
  const wanted = config.signIn.filter(({ id }) => id === (invocation.options.connector ?? id));
  if (wanted.length === 0) {
    throw new UsageError(`--connector: expected one of ${config.signIn.map(({ id }) => id).join(', ')}`);
  }
  const claims = typeof invocation.options.claims === 'string' ? readClaims(invocation.options.claims) : undefined;
  const log = createLogger('auth-server', 'silent');
  const access = await composeAccess(config, { clock: systemClock, log });
  const { needs } = access;
  const opened = readOrganisations(openConnectors(wanted, config.issuer, noRequest, { needs }), orgClaimsOf(wanted));
  return Promise.all(
    opened.map(async (connector, index) => {
      const kind = wanted[index]?.kind.type ?? '';
      try {
        const identity = await identityOf({ connector, kind, email, claims });
        const { isAllowed, reason } = await access.decide(connector.id, identity);
        const scopes = isAllowed ? access.scopesOf(connector.id, identity).join(' ') : null;
        return { connector: connector.id, result: isAllowed ? 'allowed' : 'refused', reason, scopes };
      } catch (error) {
        if (!(error instanceof UpstreamError)) throw error;
        return { connector: connector.id, result: 'refused', reason: error.message, scopes: null };
      }
    }),
  );
}

interface Person {
  readonly connector: OpenConnector;
  readonly kind: ConfiguredConnector['kind']['type'];
  readonly email: string;
  readonly claims: Readonly<Record<string, unknown>> | undefined;
}

async function identityOf({ connector: { connector }, kind, email, claims }: Person): Promise<Identity> {
  const assumed = { issuer: kind, subject: '', email, verifiedEmails: [email], domains: [domainOf(email)] };
  if (!claims) return assumed;
  if (!connector.identify) throw new UpstreamError('invalid_answer', `the type ${kind} can't read claims from a file`);
  return acceptIdentity(await connector.identify(claims));
}

const noRequest: typeof fetch = async () => {
  throw new TypeError('this command sends no request');
};

const STANDARD_INPUT = 0;

function readClaims(path: string): Readonly<Record<string, unknown>> {
  let read: unknown;
  try {
    read = JSON.parse(readFileSync(path === '-' ? STANDARD_INPUT : path, 'utf8'));
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'it is not JSON';
    throw new StartError(`${JSON.stringify(path)} can't be read (${reason})`, { cause });
  }
  if (typeof read === 'object' && read !== null && !Array.isArray(read)) return read as Record<string, unknown>;
  throw new StartError(`${JSON.stringify(path)} is not a JSON object with claims`);
}
