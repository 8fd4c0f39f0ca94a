/** Owns the page for an authorization request that the engine refuses and that cannot return to the client (RFC 6749 §4.1.2.1). */
import { pageHeaders } from '@mcp-oauth/shared/http/security-headers';
import { stylesheet } from '@mcp-oauth/shared/pages/stylesheet';
import { type Configuration, type ErrorOut, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { ClientDocumentError } from '../client-documents/document-error.ts';
import { stateOf } from '../context-state.ts';
import { wordsForDocument } from './clients/metadata-documents.ts';
import { wordsForLostSession } from './interactions/session-lost.ts';
import { type HeldAnswer, heldAnswer } from './overrides/held-errors.ts';

export interface ErrorDescription {
  readonly title: string;
  readonly message: string;
  /** The request id, which finds the log lines. */
  readonly reference: string;
  /** The answer that the client has not received yet, and its destination. */
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

/** A sign-in that the engine no longer finds, or that this browser must not finish. */
async function wordsForLost({ oidc, path }: KoaContextWithOIDC, error: errors.SessionNotFound): Promise<Words> {
  const message = await wordsForLostSession(oidc.provider, error, path.slice(path.lastIndexOf('/') + 1));
  return { title: 'This sign-in can’t continue', message: `${message} Go back to your app and connect again.` };
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

/** A page for people; JSON at the other endpoints, whatever the client accepts. */
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
    // A request that has ended has no client any more: a client named in it may come from a forged link.
    const isLost = error instanceof errors.SessionNotFound;
    const words = isLost ? await wordsForLost(ctx, error) : wordsFor(out, error);
    const answer = isLost ? undefined : heldAnswer(ctx, out, error);
    ctx.body = renderPage({ ...words, reference: stateOf(ctx).requestId, answer });
  };
}
