/** Owns how the HTTP application around an engine is created from the settings: its limits, its pages and its documents. */
import { randomBytes } from 'node:crypto';
import type { RequestListener } from 'node:http';
import type { Access } from '../access/access.ts';
import type { PassThrough } from '../access/gate.ts';
import type { Config } from '../config.ts';
import type { Accounts } from '../federation/account.ts';
import type { Organisations } from '../federation/claims/organisations.ts';
import { createLogins } from '../federation/login.ts';
import type { OpenConnector } from '../federation/registry.ts';
import type { DeviceLimits } from '../http/admission/device.ts';
import { createApp } from '../http/app.ts';
import { backChannelLogout } from '../http/logout/back-channel.ts';
import { signOutRoutes } from '../http/logout/sign-out.ts';
import { provisioningRoutes } from '../http/provisioning/routes.ts';
import { callbackRoutes } from '../http/sign-in/callback.ts';
import { finishNative } from '../http/sign-in/finished.ts';
import { interactionRoutes } from '../http/sign-in/interaction.ts';
import { createLoginCookie } from '../http/sign-in/login-cookie.ts';
import type { SignInObserver } from '../http/sign-in/upstream-failure.ts';
import { answerStatusLists } from '../http/status-lists.ts';
import type { CookieKeys } from '../keys/key-store.ts';
import type { SigningKey } from '../keys/signing-key.ts';
import type { SignedOut } from '../logout/signed-out.ts';
import { DEVICE_CODE } from '../provider/lifetimes.ts';
import type { Engine } from '../provider/provider.ts';
import { createUsers } from '../provisioning/users.ts';
import type { Resources } from '../resources/resource.ts';
import type { Endings } from '../revocation/endings.ts';
import type { StatusDocuments } from '../revocation/status-documents.ts';
import type { CreateRateLimit } from '../storage/rate-limit.ts';
import type { Recheck } from '../vault/recheck.ts';
import { scimTokensOf } from './access.ts';
import type { Admin } from './admin/admin.ts';
import type { Clients } from './clients.ts';
import type { Connecting } from './connections/connecting.ts';
import type { Dependencies } from './dependencies.ts';
import { composePages } from './pages/pages.ts';
import type { ComposedPersonalTokens } from './personal-tokens/server.ts';

const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;
/** How many addresses may enter device codes at their limit. */
const TOGETHER = 10;

export interface AppDependencies extends Dependencies {
  readonly accounts: Accounts;
  readonly passThrough: PassThrough;
  readonly access: Pick<Access, 'stored' | 'permitted'>;
  /** Absent: there are no pages of the operator. */
  readonly admin: Admin | undefined;
  readonly signedOut: SignedOut;
  readonly recheck: Pick<Recheck, 'remember'>;
  readonly organisations: Organisations;
  readonly clients: Clients;
  readonly endings: Pick<Endings, 'end'>;
  readonly connectors: readonly OpenConnector[];
  readonly cookieKeys: CookieKeys;
  readonly statusDocuments: StatusDocuments;
  readonly personal: ComposedPersonalTokens;
  /** Absent: no tool uses accounts of people. */
  readonly connecting: Connecting | undefined;
  readonly resources: Resources;
  readonly isReady: () => boolean;
  readonly onSignIn?: SignInObserver | undefined;
}

/** @returns a function that creates the application around an engine and its signing key; everything else outlives the engines */
export function composeApp(
  config: Config,
  dependencies: AppDependencies,
): (engine: Engine, key: SigningKey) => RequestListener {
  const { issuer, trustedProxies, documentLifetime } = config;
  const { clock, log, audit, store, directory, languageOf, pages, accounts, passThrough, access, signedOut, recheck } =
    dependencies;
  const { admin, clients, connectors, cookieKeys, isReady, onSignIn, personal } = dependencies;
  const { registration: registrationLimits, ...limits } = composeLimits(config, dependencies.createRateLimit);
  const deviceLimits = composeDeviceLimits(config, dependencies.createRateLimit);
  const signIn = {
    issuer,
    languageOf,
    pages,
    connectors,
    accounts,
    access,
    organisations: dependencies.organisations,
    passThrough,
    clock,
    recheck,
    signedOut,
    logins: createLogins(store, randomBytes),
    loginCookie: createLoginCookie(cookieKeys, issuer.startsWith('https:')),
    formKey: cookieKeys[0],
    onSignIn,
  };
  const provisioning = composeProvisioning(config, dependencies);
  const logout = backChannelLogout({ connectors, signedOut, endings: dependencies.endings });
  const registration = { ...clients.registration, ...registrationLimits };
  const documents = dependencies.statusDocuments;
  const ownTokens = composeOwnTokens(config, dependencies);
  const { endings } = dependencies;
  const { connecting } = dependencies;
  const pageParts = { ...signIn, store, directory, clientFacts: clients.facts, endings, ownTokens, connecting };
  return ({ app, guards, interactions, sessions, resources, revision }, key) => {
    const { pageSessions, routes: pageRoutes } = composePages({ ...pageParts, sessions, resources });
    const routes = [
      ...(admin ? [admin.routes(pageSessions)] : []),
      interactionRoutes({
        ...signIn,
        pageSessions,
        interactions,
        connecting: connecting && { ...signIn, ...connecting },
      }),
      callbackRoutes({ ...signIn, pageSessions, connecting: connecting && { ...signIn, ...connecting, pageSessions } }),
      ...pageRoutes,
      logout,
      signOutRoutes({ ...signIn, sessions: pageSessions }),
      finishNative(signIn),
    ];
    return createApp({
      issuer,
      log,
      audit: admin?.noting(audit) ?? audit,
      isReady,
      languageOf,
      pages,
      trustedProxies,
      clock,
      registration,
      provisioning,
      limits,
      deviceLimits,
      documentLifetime,
      revision: () => revision() + (personal.ring?.revision() ?? 0),
      furtherKeys: () => personal.ring?.published() ?? [],
      answerStatusLists: answerStatusLists({ issuer, documents, key, log }),
      routes,
      guards,
      engine: app,
    });
  };
}

/** New personal tokens of one person in a day. */
const NEW_TOKENS = 100;

/** @returns nothing if people make no tokens */
function composeOwnTokens(config: Config, { personal, resources, createRateLimit }: AppDependencies) {
  if (config.personalTokens !== 'on') return undefined;
  const limit = createRateLimit({ name: 'personal-token', points: NEW_TOKENS, seconds: DAY });
  return { tokens: personal.tokens, resources, longest: config.personalTokenLifetime, limit };
}

/** SCIM for the connectors that have a token. */
function composeProvisioning({ issuer, signIn, failureLimit }: Config, dependencies: AppDependencies) {
  const { store, clock, cookieKeys, createRateLimit, endings } = dependencies;
  const endpoints = scimTokensOf(signIn).map(({ connector, token }) => ({
    connector,
    token,
    base: `${issuer}/scim/v2/${connector}`,
    users: createUsers(connector, {
      store,
      clock,
      nameKeys: cookieKeys,
      onDeactivated: async (accountId) => {
        await endings.end({ kind: 'person', accountId }, { origin: 'provisioning', actor: connector });
      },
    }),
  }));
  const limit = createRateLimit({ name: 'scim', points: failureLimit, seconds: MINUTE });
  return provisioningRoutes({ endpoints, limit, clock });
}

/** Limits per address for requests that store records before anybody is authenticated. Each kind is counted separately. */
function composeLimits(config: Config, createRateLimit: CreateRateLimit) {
  const points = config.authorizationLimit;
  return {
    authorization: createRateLimit({ name: 'authorize', points, seconds: MINUTE }),
    approval: createRateLimit({ name: 'approve', points, seconds: MINUTE }),
    revocation: createRateLimit({ name: 'revoke', points, seconds: MINUTE }),
    failure: createRateLimit({ name: 'failure', points: config.failureLimit, seconds: MINUTE }),
    registration: {
      limit: createRateLimit({ name: 'register', points: config.registrationLimit, seconds: HOUR }),
      globalLimit: createRateLimit({ name: 'register-all', points: config.registrationLimitGlobal, seconds: HOUR }),
    },
  };
}

function composeDeviceLimits(
  { deviceAuthorizationLimit: points }: Config,
  createRateLimit: CreateRateLimit,
): DeviceLimits {
  const seconds = DEVICE_CODE;
  return {
    codes: createRateLimit({ name: 'device-codes', points, seconds }),
    page: createRateLimit({ name: 'device-page', points, seconds }),
    entry: createRateLimit({ name: 'device-entry', points: TOGETHER * points, seconds }),
  };
}
