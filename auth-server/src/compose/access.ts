/** Owns how the rules about people are created from the settings, and the gates that every person passes, in their order. */
import { type Access, createAccess } from '../access/access.ts';
import { problemOfFile } from '../access/file-problems.ts';
import { type Gate, type PassThrough, passThrough } from '../access/gate.ts';
import type { Rule } from '../access/rules/rule.ts';
import { openRuleFiles } from '../access/rules/rule-files.ts';
import type { RuleList } from '../access/rules/rule-list.ts';
import type { ConnectorAccess, ConnectorRules } from '../access/settings.ts';
import type { Config } from '../config.ts';
import type { Account } from '../federation/account.ts';
import type { ConfiguredConnector, OpenConnector } from '../federation/registry.ts';
import { createLogoutGate } from '../logout/gate.ts';
import type { SignedOut } from '../logout/signed-out.ts';
import { createDeactivationGate } from '../provisioning/deactivation.ts';
import type { ConnectorProvisioning } from '../provisioning/settings.ts';
import { neededMemberships, storedForTokens } from '../resources/person-claims.ts';
import { type EndConnections, endingConnections } from '../vault/connections/person-end.ts';
import type { Recheck } from '../vault/recheck.ts';
import type { Dependencies } from './dependencies.ts';

type Parties = Pick<
  Config,
  'peopleAllow' | 'peopleDeny' | 'scopeRules' | 'admins' | 'signIn' | 'resources' | 'tokenClaims'
>;

/**
 * @param others ids of connectors that are not configured by settings
 * @throws StartError if a file of rules cannot be used
 */
export async function composeAccess(
  config: Parties,
  { clock, log }: Pick<Dependencies, 'clock' | 'log'>,
  others: readonly string[] = [],
): Promise<Access> {
  const connectors = new Map([
    ...others.map((id) => [id, rulesOf(config)] as const),
    ...config.signIn.map((connector) => [connector.id, rulesOf(config, connector)] as const),
  ]);
  const inTokens = neededMemberships(config.resources.flatMap(({ claims }) => claims ?? config.tokenClaims ?? []));
  const onTrouble = (path: string, reason: string) =>
    log.error({ file: path, reason }, 'file of rules not used, the previous rules stay');
  const onChange = (path: string, rules: number) => log.info({ file: path, rules }, 'file of rules read again');
  const onNote = (connector: string, reason: string) => log.warn({ connector, reason }, 'rule not applied');
  const problemOf = (path: string, rules: readonly Rule[]) => problemOfFile(path, rules, config, config.signIn);
  const paths = [...connectors.values()].flatMap(filesOf);
  const files = await openRuleFiles(paths, { clock, onTrouble, onChange, problemOf });
  const alsoNeeds = { has: (type: string) => inTokens.has(type), claims: [] };
  const access = createAccess({ connectors, files, alsoNeeds, onNote });
  return {
    ...access,
    stored: (account) => {
      const stored = access.stored(account);
      return { ...stored, identity: { ...stored.identity, ...storedForTokens(account.identity, inTokens) } };
    },
  };
}

/** One line for each connector: who may come in with it. */
export function tellAccess(
  { signIn }: Pick<Config, 'signIn'>,
  access: Pick<Access, 'inWords'>,
  log: Dependencies['log'],
): void {
  for (const { id, title } of signIn) {
    log.info({ connector: id, ...access.inWords(id, title) }, 'people who may come in');
  }
}

function rulesOf(config: Parties, connector?: ConfiguredConnector): ConnectorRules {
  const own = connector?.every as Partial<ConnectorAccess> | undefined;
  const isList = (list: RuleList | undefined) => list !== undefined;
  return {
    allow: own?.allow ?? config.peopleAllow,
    deny: [own?.deny, config.peopleDeny].filter(isList),
    scopes: own?.scopeRules ?? config.scopeRules,
    admins: own?.admins ?? config.admins,
    caseInsensitive: connector?.kind.caseInsensitive ?? [],
    acceptance: connector?.kind.acceptance?.(connector.settings),
  };
}

const filesOf = ({ allow, deny, scopes = [], admins }: ConnectorRules): readonly string[] =>
  [...(allow ? [allow] : []), ...deny, ...scopes.map(({ people }) => people), ...(admins ? [admins] : [])].flatMap(
    ({ files }) => files,
  );

interface GateDependencies extends Pick<Dependencies, 'store' | 'log'> {
  readonly recheck: Pick<Recheck, 'gate' | 'forget'>;
  readonly access: Access;
  readonly connectors: readonly OpenConnector[];
  readonly signedOut: Pick<SignedOut, 'approvalsEndedAt'>;
  /** Absent: there can be no connections. */
  readonly endConnections: EndConnections | undefined;
}

export function composeGates(
  { signIn }: Pick<Config, 'signIn'>,
  { store, log, recheck, access, connectors, signedOut, endConnections }: GateDependencies,
): PassThrough {
  const provisioned = scimTokensOf(signIn).map(({ connector }) => connector);
  // The provider does not know our subject, and its `externalId` is compared with the one there.
  const onUnknown = ({ connector, accountId, identity: { subject: upstreamSubject } }: Account) =>
    log.warn({ connector, subject: accountId, upstreamSubject }, 'the provider has not reported this person over SCIM');
  // Without such a connector no refresh costs a read.
  const endsApprovals = connectors.some(({ connector }) => connector.logout?.endsApprovals);
  const ending = (gate: Gate) => (endConnections ? endingConnections(gate, endConnections) : gate);
  // Nobody is asked about a person whose access has ended, and the rules judge what the upstream says now.
  return passThrough([
    ending(createDeactivationGate({ connectors: provisioned, store, onUnknown, onRefused: recheck.forget })),
    ...(endsApprovals ? [createLogoutGate(signedOut)] : []),
    ending(recheck.gate),
    ending(access.gate),
  ]);
}

/** The connectors with SCIM, each with its token. */
export const scimTokensOf = (signIn: Config['signIn']): readonly { connector: string; token: string }[] =>
  signIn.flatMap(({ id, every }) => {
    const { scimToken } = (every ?? {}) as Partial<ConnectorProvisioning>;
    return scimToken === undefined ? [] : [{ connector: id, token: scimToken }];
  });
