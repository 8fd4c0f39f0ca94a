/** Owns what a person reads when the engine refuses an authorization request that can't go back to the client (RFC 6749 §4.1.2.1). */
import { pageHeaders } from '@mcp-oauth/shared/http/security-headers';
import { stylesheet } from '@mcp-oauth/shared/pages/stylesheet';
import { type Configuration, type ErrorOut, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { ClientDocumentError } from '../client-documents/document-error.ts';
import { stateOf } from '../context-state.ts';
import { wordsFor as wordsForDocument } from './clients/metadata-documents.ts';
import { wordsFor as wordsForLostSession } from './interactions/session-lost.ts';
import { type HeldAnswer, heldAnswer } from './overrides/held-errors.ts';

export interface ErrorDescription {
  readonly title: string;
  readonly message: string;
  /** Joins the page with the log. */
  readonly reference: string;
  /** What the client was not told yet, and where it waits. */
  readonly answer?: HeldAnswer | undefined;
}

type Words = Omit<ErrorDescription, 'reference' | 'answer'>;

const headers = pageHeaders(stylesheet);
const PAGES = new Set(['authorization', 'resume']);

const WORDS: Readonly<Record<string, Words>> = {
  invalid_client: {
    title: 'This app is not registered here',
    message:
      'The app that sent you here is unknown to this server, or its registration has expired. Remove the server in your app, add it again, and sign in once more.',
  },
  invalid_redirect_uri: {
    title: 'This app asked for an address it did not register',
    message:
      'To keep your account safe, nothing was sent there. Remove the server in your app, add it again, and sign in once more.',
  },
  server_error: {
    title: 'Something went wrong on our side',
    message: 'Nothing was changed. Go back to your app and try again in a moment.',
  },
};

/** A sign-in that the engine does not find any more, or that this browser may not finish. */
async function wordsForLost({ oidc, path }: KoaContextWithOIDC, error: errors.SessionNotFound): Promise<Words> {
  const message = await wordsForLostSession(oidc.provider, error, path.slice(path.lastIndexOf('/') + 1));
  return { title: 'This sign-in can’t go on', message: `${message} Go back to your app and connect again.` };
}

function wordsFor({ error, error_description: description }: ErrorOut, { cause }: Error): Words {
  if (cause instanceof ClientDocumentError) return wordsForDocument(cause);
  return (
    WORDS[error] ?? {
      title: "This request can't be processed",
      message: `The app that sent you here asked for something that this server can't do: ${description ?? error}.`,
    }
  );
}

/** A page where a person is looking; JSON at the other endpoints, whatever a client says that it accepts. */
export function createRenderError(
  renderPage: (error: ErrorDescription) => string,
): NonNullable<Configuration['renderError']> {
  return async (ctx, out, error) => {
    if (!PAGES.has(ctx.oidc.route) || ctx.accepts('html', 'json') !== 'html') {
      ctx.body = out;
      return;
    }
    ctx.set(headers);
    ctx.type = 'html';
    // A request that is over has no client any more: what names one then is the link that somebody made.
    const isLost = error instanceof errors.SessionNotFound;
    const words = isLost ? await wordsForLost(ctx, error) : wordsFor(out, error);
    const answer = isLost ? undefined : heldAnswer(ctx, out, error);
    ctx.body = renderPage({ ...words, reference: stateOf(ctx).requestId, answer });
  };
}
