/** Owns `people check`: what the rules and SCIM say about a person, before the person tries it. */

import { readFileSync } from 'node:fs';
import { type Command, type Invocation, UsageError } from '@mcp-oauth/shared/cli/command';
import { json, showList } from '@mcp-oauth/shared/cli/list';
import { systemClock } from '@mcp-oauth/shared/clock';
import { StartError } from '@mcp-oauth/shared/errors';
import { isObject } from '@mcp-oauth/shared/json';
import { createLogger } from '@mcp-oauth/shared/logger';
import type { Access } from '../../access/access.ts';
import { comparableEmail, domainOf } from '../../access/rules/address.ts';
import { composeAccess, scimTokensOf } from '../../compose/access.ts';
import type { Config } from '../../config.ts';
import { orgClaimsOf, readOrganisations } from '../../federation/claims/organisations.ts';
import { type Connector, type Identity, UpstreamError } from '../../federation/connector.ts';
import { type ConfiguredConnector, openConnectors } from '../../federation/registry.ts';
import { acceptIdentity, isSubject } from '../../federation/subject.ts';
import { deactivatedAt } from '../../provisioning/deactivation.ts';
import { configOf, type WithStore } from '../store.ts';

export const checkCommand = (withStore: WithStore): Command => ({
  name: 'check',
  summary: 'Show what would happen if a person signed in, and which rule decides.',
  details:
    'Without --claims the address counts as verified, and nothing else is known of the person. The file is a JSON object with the claims of an id token; for GitHub an object with the answers of its API: user, emails, orgs, teams. `-` reads standard input. With --claims or --subject a person whom SCIM has deactivated is found in the store. Exits with 1 if no connector lets the person in.',
  parameters: ['email'],
  options: {
    claims: { type: 'string', value: 'file', doc: 'Claims of the person at the provider.' },
    subject: { type: 'string', value: 'sub', doc: 'Subject of the person at the provider, instead of claims.' },
    connector: { type: 'string', value: 'id', doc: 'Check this connector only.' },
    json,
  },
  run: async (invocation) => {
    const config = await configOf(invocation.env);
    const wanted = wantedOf(config, invocation);
    const person = personOf(invocation);
    const access = await composeAccess(config, { clock: systemClock, log: createLogger('auth-server', 'silent') });
    const found = await identify(wanted, { config, access, person });
    const ended = await readDeactivations(found, scimTokensOf(wanted), { invocation, withStore });
    const rows = await Promise.all(found.map((one) => rowOf(one, ended.get(one.connector), access)));
    showList(invocation, rows, 'There are no connectors.');
    if (person.claims === undefined) invocation.stderr.write(ASSUMED);
    return rows.some(({ result }) => result === 'allowed') ? 0 : 1;
  },
});

const ASSUMED =
  'The address counts as verified here, and groups and other claims are not known: --claims <file> checks them.\n';
const NOT_ASKED = 'Whether SCIM has deactivated the person is not known';

function wantedOf({ signIn }: Config, { options }: Invocation): readonly ConfiguredConnector[] {
  const wanted = signIn.filter(({ id }) => id === (options.connector ?? id));
  if (wanted.length > 0) return wanted;
  throw new UsageError(`--connector: expected one of ${signIn.map(({ id }) => id).join(', ')}`);
}

interface Person {
  readonly email: string;
  readonly subject: string | undefined;
  readonly claims: Readonly<Record<string, unknown>> | undefined;
}

function personOf({ parameters: { email = '' }, options: { claims, subject } }: Invocation): Person {
  if (comparableEmail(email) === undefined) throw new UsageError(`<email>: ${JSON.stringify(email)} is not an address`);
  if (subject !== undefined) {
    if (claims !== undefined)
      throw new UsageError('--subject: the claims name the subject, so give only one of the two');
    if (!isSubject(subject)) throw new UsageError(`--subject: ${JSON.stringify(subject)} is not a subject`);
  }
  return { email, subject, claims: typeof claims === 'string' ? readClaims(claims) : undefined };
}

/** Who the person is at a connector, or why it does not know them. */
type Found =
  | { readonly connector: string; readonly identity: Identity }
  | { readonly connector: string; readonly problem: string };

interface Asked {
  readonly config: Config;
  readonly access: Access;
  readonly person: Person;
}

function identify(wanted: readonly ConfiguredConnector[], { config, access, person }: Asked): Promise<Found[]> {
  const { needs } = access;
  const { connectors } = openConnectors(wanted, config.issuer, noRequest, { needs });
  const opened = readOrganisations(connectors, orgClaimsOf(wanted));
  return Promise.all(
    opened.map(async ({ id, connector }, index): Promise<Found> => {
      try {
        const identity = await identityOf(connector, wanted[index]?.kind.type ?? '', person);
        return { connector: id, identity };
      } catch (error) {
        if (!(error instanceof UpstreamError)) throw error;
        return { connector: id, problem: error.message };
      }
    }),
  );
}

/** The days on which SCIM deactivated the person, by connector; of those that are known. */
async function readDeactivations(
  found: readonly Found[],
  provisioned: readonly { readonly connector: string }[],
  { invocation: { env, stderr }, withStore }: { readonly invocation: Invocation; readonly withStore: WithStore },
): Promise<ReadonlyMap<string, string>> {
  const ids = new Set(provisioned.map(({ connector }) => connector));
  const people = found.flatMap((one) => ('identity' in one && ids.has(one.connector) ? [one] : []));
  const known = people.filter(({ identity }) => identity.subject !== '');
  if (known.length < people.length) stderr.write(`${NOT_ASKED} without --claims or --subject.\n`);
  const days = new Map<string, string>();
  if (known.length === 0) return days;
  try {
    await withStore(env, async ({ store }) => {
      for (const { connector, identity } of known) {
        const at = await deactivatedAt(connector, identity.subject, store);
        if (at !== undefined) days.set(connector, new Date(at * 1000).toISOString().slice(0, 10));
      }
    });
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    stderr.write(`${NOT_ASKED}: ${error.message}\n`);
  }
  return days;
}

/** A deactivation is asked first, as at a sign-in. */
async function rowOf(found: Found, deactivated: string | undefined, access: Access) {
  const { connector } = found;
  const refused = (reason: string) => ({ connector, result: 'refused', reason, scopes: null });
  if ('problem' in found) return refused(found.problem);
  if (deactivated !== undefined) return refused(`deactivated by SCIM on ${deactivated}`);
  const { isAllowed, reason } = await access.decide(connector, found.identity);
  if (!isAllowed) return refused(reason);
  return { connector, result: 'allowed', reason, scopes: access.scopesOf(connector, found.identity).join(' ') };
}

async function identityOf(
  connector: Connector,
  kind: string,
  { email, subject = '', claims }: Person,
): Promise<Identity> {
  if (!claims) {
    // Connectors report domains in lower case, and HOSTED_DOMAIN compares them exactly.
    const domains = [domainOf(email).toLowerCase()];
    return { issuer: kind, subject, email, verifiedEmails: [email], domains };
  }
  if (!connector.identify) throw new UpstreamError('invalid_answer', `the type ${kind} can't read claims from a file`);
  const identity = acceptIdentity(await connector.identify(claims));
  refuseOthers(identity, email);
  return identity;
}

/** Claims of somebody else would answer another question than the one that was asked. */
function refuseOthers({ email, verifiedEmails = [], unverifiedEmail }: Identity, asked: string): void {
  const addresses = [email, ...verifiedEmails, unverifiedEmail].filter((address) => address !== undefined);
  if (addresses.length === 0 || addresses.some((address) => comparableEmail(address) === comparableEmail(asked)))
    return;
  throw new UsageError(`--claims: the claims are of ${addresses[0]}, not of ${asked}`);
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
  if (isObject(read)) return read;
  throw new StartError(`${JSON.stringify(path)} is not a JSON object with claims`);
}
