/** Owns the page for an authorization request that the engine refuses and that cannot return to the client (RFC 6749 §4.1.2.1). */
import { type Configuration, type ErrorOut, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { ClientDocumentError } from '../client-documents/document-error.ts';
import { stateOf } from '../context-state.ts';
import { inWords, type Language, type Said, said } from '../languages/language.ts';
import type { ChooseLanguage } from '../languages/languages.ts';
import { wordsForDocument } from './clients/metadata-documents.ts';
import { wordsForLostSession } from './interactions/session-lost.ts';
import { type HeldAnswer, heldAnswer } from './overrides/held-errors.ts';

interface ErrorDescription {
  readonly language: Language;
  readonly title: string;
  readonly message: string;
  readonly detail?: string | undefined;
  readonly next?: string;
  /** The request id, which finds the log lines. */
  readonly reference: string;
  /** The answer that the client has not received yet, and its destination. */
  readonly answer?: HeldAnswer | undefined;
}

/** The error page, and the headers that it is sent with. */
export interface ErrorPages {
  readonly headers: Readonly<Record<string, string>>;
  error(description: ErrorDescription): string;
}

interface Words {
  readonly title: Said;
  readonly message: Said;
  /** What the engine says, in English. */
  readonly detail?: string;
  readonly next?: Said;
}

const PAGES = new Set(['authorization', 'resume', 'code_verification', 'device_resume']);

const WORDS: Readonly<Record<string, Words>> = {
  invalid_client: { title: said('unknownAppTitle'), message: said('unknownApp') },
  invalid_redirect_uri: { title: said('unknownAddressTitle'), message: said('unknownAddress') },
  // The other cause of access_denied, the button Deny, needs no page: its answer goes to the client.
  access_denied: { title: said('nothingPermittedTitle'), message: said('nothingPermitted'), next: said('ifPermitted') },
  server_error: { title: said('ownFaultTitle'), message: said('ownFault') },
};

/** A sign-in that the engine no longer finds, or that this browser must not finish. */
async function wordsForLost({ oidc, path }: KoaContextWithOIDC, error: errors.SessionNotFound): Promise<Words> {
  const message = await wordsForLostSession(oidc.provider, error, path.slice(path.lastIndexOf('/') + 1));
  return { title: said('cantContinueTitle'), message, next: said('connectAgain') };
}

function wordsFor({ error, error_description: description }: ErrorOut, { cause }: Error): Words {
  if (cause instanceof ClientDocumentError) return wordsForDocument(cause);
  return (
    WORDS[error] ?? { title: said('cantProcessTitle'), message: said('cantProcess'), detail: description ?? error }
  );
}

/** A page for people; JSON at the other endpoints, whatever the client accepts. */
export function createRenderError(
  { headers, error: renderPage }: ErrorPages,
  languageOf: ChooseLanguage,
): NonNullable<Configuration['renderError']> {
  return async (ctx, out, error) => {
    if (!PAGES.has(ctx.oidc.route) || ctx.accepts('html', 'json') !== 'html') {
      ctx.body = out;
      return;
    }
    ctx.set({ ...headers });
    ctx.type = 'html';
    // A request that has ended has no client any more: a client named in it may come from a forged link.
    const isLost = error instanceof errors.SessionNotFound;
    const words = isLost ? await wordsForLost(ctx, error) : wordsFor(out, error);
    const answer = isLost ? undefined : heldAnswer(ctx, out, error);
    const language = languageOf(ctx);
    ctx.body = renderPage({
      language,
      title: inWords(language, words.title),
      message: inWords(language, words.message),
      detail: words.detail,
      ...(words.next && { next: inWords(language, words.next) }),
      reference: stateOf(ctx).requestId,
      answer,
    });
  };
}
