/** Owns how an engine is created from the settings. */
import type { Access } from '../access/access.ts';
import type { PassThrough } from '../access/gate.ts';
import { ID_JAG_PROFILE } from '../assertions/id-jag.ts';
import { ASSERTION_GRANT, EXCHANGE_GRANT } from '../clients/client.ts';
import type { Config } from '../config.ts';
import { LINK_LIFETIME } from '../connecting/links.ts';
import { lacksAccount } from '../connecting/missing.ts';
import type { Accounts } from '../federation/account.ts';
import type { Organisations } from '../federation/claims/organisations.ts';
import type { Keys } from '../keys/key-store.ts';
import type { SignedOut } from '../logout/signed-out.ts';
import type { DeviceOptions } from '../provider/configuration.ts';
import { TOO_SOON } from '../provider/device/polling.ts';
import type { EngineCounts } from '../provider/events.ts';
import type { AssertionOptions } from '../provider/grants/jwt-bearer.ts';
import type { ExchangeOptions } from '../provider/grants/token-exchange.ts';
import { DEVICE_CODE } from '../provider/lifetimes.ts';
import { createEngine, type Engine } from '../provider/provider.ts';
import { lifetimesOf } from '../provider/settings.ts';
import type { Resources } from '../resources/resource.ts';
import { createEndedBefore } from '../revocation/ended-before.ts';
import type { Endings } from '../revocation/endings.ts';
import type { StatusLists } from '../revocation/status-lists.ts';
import type { Clients } from './clients.ts';
import type { Connecting } from './connections/connecting.ts';
import type { Dependencies } from './dependencies.ts';

export interface EngineDependencies extends Dependencies {
  readonly accounts: Accounts;
  readonly passThrough: PassThrough;
  readonly access: Pick<Access, 'permitted'>;
  readonly signedOut: SignedOut;
  readonly organisations: Organisations;
  readonly resources: Resources;
  readonly clients: Clients;
  readonly statusLists: StatusLists;
  readonly endings: Pick<Endings, 'end'>;
  /** Absent: no assertion is accepted. */
  readonly assertions?: AssertionOptions | undefined;
  /** Absent: no tool uses accounts of people. */
  readonly connecting?: Connecting | undefined;
  /** Absent: nothing is counted. */
  readonly counts?: EngineCounts | undefined;
}

/** @returns a function that creates an engine for a set of keys; everything else outlives the engines */
export function composeEngine(config: Config, dependencies: EngineDependencies): (keys: Keys) => Engine {
  const { store, directory, clock, languageOf, pages, accounts, passThrough, access, organisations } = dependencies;
  const { signedOut, endings, clients, counts, statusLists, assertions, connecting } = dependencies;
  const { enterprise, workload } = config.trustedIssuers;
  const hasIssuers = enterprise.length + workload.length > 0;
  const options = {
    issuer: config.issuer,
    store,
    clock,
    accounts,
    passThrough,
    access,
    organisations,
    signedOut,
    directory,
    endedBefore: createEndedBefore(store, config.grantLifetime),
    statusLists,
    hasStatus: config.statusLists === 'on',
    endings,
    ...clients,
    clientIdMetadataDocuments: config.clientMetadata,
    resources: dependencies.resources,
    lacksAccount: connecting ? lacksAccount(connecting.connections) : async () => false,
    lifetimes: lifetimesOf(config),
    maxTokenClaimsSize: config.maxTokenClaimsSize,
    pages,
    languageOf,
    counts,
    device: composeDevice(config, dependencies),
    moreGrants: [...(config.exchangePolicy ? [EXCHANGE_GRANT] : []), ...(hasIssuers ? [ASSERTION_GRANT] : [])],
    exchange: composeExchange(config, dependencies),
    assertionClients: new Set(enterprise.flatMap(({ clients: named }) => [...named.values()])),
    grantProfiles: enterprise.length > 0 ? [ID_JAG_PROFILE] : [],
    assertions: hasIssuers ? assertions : undefined,
  };
  return (keys) => createEngine({ ...options, keys });
}

/** New links of one person to one connector while a link lasts. */
const NEW_LINKS = 20;

/** @returns nothing if nothing can be exchanged */
function composeExchange(
  { exchangePolicy: policy }: Config,
  { createRateLimit, connecting }: Pick<EngineDependencies, 'createRateLimit' | 'connecting'>,
): ExchangeOptions | undefined {
  if (!policy) return undefined;
  const newLinks = createRateLimit({ name: 'connect-link', points: NEW_LINKS, seconds: LINK_LIFETIME });
  return { policy, upstream: connecting && { ...connecting, newLinks } };
}

/** How many addresses may keep codes of one client open at their limit. */
const ADDRESSES = 10;

function composeDevice(config: Config, { createRateLimit }: Pick<Dependencies, 'createRateLimit'>): DeviceOptions {
  const points = ADDRESSES * config.deviceAuthorizationLimit;
  return {
    isOffered: config.deviceAuthorization === 'on',
    polls: createRateLimit({ name: 'device-poll', points: 1, seconds: TOO_SOON }),
    openCodes: createRateLimit({ name: 'device-client', points, seconds: DEVICE_CODE }),
  };
}
