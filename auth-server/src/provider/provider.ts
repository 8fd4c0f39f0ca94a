/** Owns the making of the authorization engine, which is the Koa application that everything else is put in front of. */
import type { Middleware } from 'koa';
import Provider, { errors } from 'oidc-provider';
import type { Judge } from '../client-documents/document.ts';
import type { Interactions } from '../consent/interaction.ts';
import type { Accounts } from '../federation/account.ts';
import { chooseKeys } from './clients/keys.ts';
import { createConfiguration, type EngineParts } from './configuration.ts';
import { countEvents, type EngineCounts, logEvents } from './events.ts';
import { createFindAccount } from './find-account.ts';
import { tellLostGrants } from './granted-resource.ts';
import { spendFailedCodes } from './guards/code-attempts.ts';
import { throwFailure } from './guards/failure.ts';
import { allowFormPost } from './guards/form-post-policy.ts';
import { refuseHead } from './guards/safe-methods.ts';
import { trimScope } from './guards/scope-blanks.ts';
import { listScopes } from './guards/supported-scopes.ts';
import { createInteractions } from './interactions/interactions.ts';
import { keepApprovals } from './overrides/approvals.ts';
import { createClientCache, rememberClients } from './overrides/client-cache.ts';
import { providerWith } from './overrides/grant-handlers.ts';
import { holdErrors } from './overrides/held-errors.ts';
import { askOfTexts, judgeMetadata } from './overrides/judge-metadata.ts';
import { alignRedirectUri, allowOmission, takeLoopbackNames } from './overrides/redirect-uri.ts';
import { endRefreshing } from './overrides/refresh-grant-type.ts';
import { nameSuccessors } from './overrides/refresh-rotation.ts';
import { deriveRegistrationAccessTokens } from './overrides/registration-access-token.ts';
import { detectReplays } from './overrides/replay-detection.ts';
import { completeRequests, readEmptySecret } from './overrides/request-context.ts';
import { createRenderError, type ErrorDescription } from './render-error.ts';

export interface Engine {
  /** Answers the protocol's own routes; what is `use`d stands before them. */
  readonly app: Provider;
  /** Belong directly before the protocol's routes. */
  readonly guards: readonly Middleware[];
  readonly interactions: Interactions;
  /** Is another number whenever the metadata is to say something else. */
  revision(): number;
  /** Throws where a client can't be one that is known by this document. */
  readonly judgeDocument: Judge;
  /** What makes metadata of a pre-registered client unusable; `undefined` where nothing does. */
  problemWith(client: object): string | undefined;
}

export type EngineOptions = Omit<EngineParts, 'findAccount' | 'renderError' | 'judge' | 'clientCache'> & {
  readonly accounts: Accounts;
  readonly renderErrorPage: (error: ErrorDescription) => string;
  /** Absent: nothing is counted. */
  readonly counts?: EngineCounts | undefined;
};

export function createEngine({ accounts, renderErrorPage, counts, ...parts }: EngineOptions): Engine {
  const clientCache = createClientCache(parts.clock);
  const Engine = providerWith({
    authorization_code: allowOmission,
    refresh_token: tellLostGrants(parts.resources),
  });
  const judgeDocument: Judge = (metadata) => judgeMetadata(app, metadata, { cimd: true });
  const app: Provider = new Engine(
    parts.issuer,
    createConfiguration({
      ...parts,
      clientCache,
      judge: judgeDocument,
      findAccount: createFindAccount(accounts, parts.resources),
      renderError: createRenderError(renderErrorPage),
    }),
  );
  // Host and protocol are those of the issuer: http/public-host.ts writes them, nobody else has a say.
  app.proxy = true;
  askOfTexts(app);
  deriveRegistrationAccessTokens(app, parts.keys.cookies[0]);
  nameSuccessors(app, parts.keys.cookies[0], () => Provider.ctx);
  alignRedirectUri(app);
  takeLoopbackNames(app);
  endRefreshing(app);
  keepApprovals(app);
  completeRequests(app);
  chooseKeys(app);
  rememberClients(app, clientCache);
  detectReplays(app, parts.store, parts.clock);
  holdErrors(app, parts.preRegistered);
  logEvents(app);
  if (counts) countEvents(app, counts);
  return {
    app,
    guards: [
      throwFailure,
      refuseHead,
      readEmptySecret(parts.issuer),
      spendFailedCodes(app),
      allowFormPost,
      listScopes(parts.resources),
      trimScope,
    ],
    interactions: createInteractions({ ...parts, provider: app }),
    revision: parts.resources.revision,
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
