/** Owns how the engine is created. The engine is the Koa application; everything else runs in front of it. */
import type { Middleware } from 'koa';
import Provider, { errors } from 'oidc-provider';
import type { Access } from '../access/access.ts';
import type { PassThrough } from '../access/gate.ts';
import type { Judge } from '../client-documents/document.ts';
import { DEVICE_GRANT } from '../clients/client.ts';
import type { Interactions } from '../consent/interaction.ts';
import type { Accounts } from '../federation/account.ts';
import type { ChooseLanguage } from '../languages/languages.ts';
import type { BrowserSessions } from '../logout/browser-sessions.ts';
import type { Resources } from '../resources/resource.ts';
import { chooseKeys } from './clients/keys.ts';
import { type ConfigurationOptions, createConfiguration } from './configuration.ts';
import type { DevicePages } from './device/feature.ts';

import { nameInterval, slowDown } from './device/polling.ts';
import { countEvents, type EngineCounts, logEvents } from './events.ts';
import { createFindAccount } from './find-account.ts';
import { tellLostGrants } from './granted-resource.ts';
import { type AssertionOptions, acceptAssertions } from './grants/jwt-bearer.ts';
import { type ExchangeOptions, offerExchange } from './grants/token-exchange.ts';
import { clientOfWorkload } from './grants/workload.ts';
import { spendFailedCodes } from './guards/code-attempts.ts';
import { addErrorMembers } from './guards/error-members.ts';
import { throwFailure } from './guards/failure.ts';
import { allowFormPost } from './guards/form-post-policy.ts';
import { releaseContext } from './guards/released-context.ts';
import { refuseHead } from './guards/safe-methods.ts';
import { listScopes } from './guards/supported-scopes.ts';
import { createBrowserSessions } from './interactions/browser-sessions.ts';
import { createInteractions } from './interactions/interactions.ts';
import { keepApprovals } from './overrides/approvals.ts';
import { createClientCache, rememberClients } from './overrides/client-cache.ts';
import { holdErrors } from './overrides/held-errors.ts';
import { askOfTexts, judgeMetadata } from './overrides/judge-metadata.ts';
import { alignRedirectUri, allowOmission, takeLoopbackNames } from './overrides/redirect-uri.ts';
import { deriveRegistrationAccessTokens } from './overrides/registration-access-token.ts';
import { detectReplays } from './overrides/replay-detection.ts';
import { joinBodies } from './overrides/request-body.ts';
import { completeRequests, readEmptySecret } from './overrides/request-context.ts';
import { formAccessTokens } from './overrides/token/access-token-form.ts';
import { providerWith } from './overrides/token/grant-handlers.ts';
import { shortenModels } from './overrides/token/models.ts';
import { endRefreshing } from './overrides/token/refresh-grant-type.ts';
import { nameSuccessors } from './overrides/token/refresh-rotation.ts';
import { refuseOtherClients } from './overrides/token/unauthorized-client.ts';
import { keepUpstreamSessions } from './overrides/upstream-sessions.ts';
import { createRenderError, type ErrorPages } from './render-error.ts';
import { resourceIndicators } from './resource-indicators.ts';
import { moreClaims } from './tokens/more-claims.ts';

export interface Engine {
  /** Answers the routes of the protocol; middleware added by `use` runs before them. */
  readonly app: Provider;
  /** Must run directly before the routes of the protocol. */
  readonly guards: readonly Middleware[];
  readonly interactions: Interactions;
  readonly sessions: BrowserSessions;
  readonly resources: Pick<Resources, 'find'>;
  /** Changes whenever the content of the metadata changes. */
  revision(): number;
  /** Throws if a client metadata document is invalid. */
  readonly judgeDocument: Judge;
  /** The problem with the metadata of a pre-registered client; `undefined` if there is none. */
  problemWith(client: object): string | undefined;
}

export type EngineOptions = Omit<
  ConfigurationOptions,
  'findAccount' | 'renderError' | 'judge' | 'clientCache' | 'devicePages'
> & {
  readonly accounts: Accounts;
  readonly passThrough: PassThrough;
  readonly access: Pick<Access, 'permitted'>;
  readonly pages: ErrorPages & DevicePages;
  readonly languageOf: ChooseLanguage;
  /** Absent: nothing can be exchanged. */
  readonly exchange?: ExchangeOptions | undefined;
  /** Absent: no assertion is accepted. */
  readonly assertions?: AssertionOptions | undefined;
  /** Absent: nothing is counted. */
  readonly counts?: EngineCounts | undefined;
};

export function createEngine({
  accounts,
  passThrough,
  pages,
  languageOf,
  counts,
  exchange,
  assertions,
  ...options
}: EngineOptions): Engine {
  const clientCache = createClientCache(options.clock);
  const Engine = providerWith({
    authorization_code: allowOmission,
    refresh_token: tellLostGrants(options.resources),
    [DEVICE_GRANT]: slowDown(options.device.polls),
  });
  const judgeDocument: Judge = (metadata) => judgeMetadata(app, metadata, { cimd: true });
  const app: Provider = new Engine(
    options.issuer,
    createConfiguration({
      ...options,
      clientCache,
      judge: judgeDocument,
      findAccount: createFindAccount({ accounts, passThrough, access: options.access, resources: options.resources }),
      renderError: createRenderError(pages, languageOf),
      devicePages: { pages, languageOf },
    }),
  );
  // The first layer, around all that are added later.
  app.use(releaseContext);
  // Host and protocol are those of the issuer: http/public-host.ts sets the proxy headers.
  app.proxy = true;
  askOfTexts(app);
  deriveRegistrationAccessTokens(app, options.keys.cookies[0]);
  formAccessTokens(app, { issuer: options.issuer, key: options.keys.signing[0], claims: moreClaims(options) });
  nameSuccessors(app, options.keys.cookies[0], () => Provider.ctx);
  alignRedirectUri(app);
  takeLoopbackNames(app);
  endRefreshing(app);
  refuseOtherClients(app);
  nameInterval(app);
  shortenModels(app);
  keepApprovals(app);
  keepUpstreamSessions(app);
  completeRequests(app, assertions ? clientOfWorkload(assertions.assertions, options.resources) : () => undefined);
  chooseKeys(app);
  rememberClients(app, clientCache);
  detectReplays(app, options.store, options.clock);
  holdErrors(app, options.preRegistered);
  const { getResourceServerInfo: resourceInfo } = resourceIndicators(options.resources, options.keys.signing[0]);
  const ofGrants = { ...options, accounts, passThrough, resourceInfo };
  if (exchange) offerExchange(app, exchange, { ...ofGrants, onExchange: counts?.onExchange });
  if (assertions) acceptAssertions(app, assertions, ofGrants);
  logEvents(app);
  if (counts) countEvents(app, counts);
  const sessions = createBrowserSessions(app, options.issuer.startsWith('https:'));
  return {
    app,
    guards: [
      throwFailure,
      addErrorMembers,
      refuseHead,
      readEmptySecret(options.issuer),
      spendFailedCodes(app),
      allowFormPost,
      listScopes(options.resources),
      joinBodies(),
    ],
    interactions: createInteractions({ ...options, accounts, sessions, provider: app }),
    sessions,
    resources: options.resources,
    revision: options.resources.revision,
    judgeDocument,
    problemWith: (client) => {
      try {
        judgeMetadata(app, client);
        return undefined;
      } catch (error) {
        if (!(error instanceof errors.InvalidClientMetadata)) throw error;
        return error.error_description ?? error.message;
      }
    },
  };
}
