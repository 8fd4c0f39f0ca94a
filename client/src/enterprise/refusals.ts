/** Owns what a refusal on the way from an ID token to an access token means, and who has to act. */
import { StartError } from '@mcp-oauth/shared/errors';
import { OAuthError } from '@modelcontextprotocol/client';

/** OAuth errors that may pass: the same request may succeed later. */
const PASSING: ReadonlySet<string> = new Set(['server_error', 'temporarily_unavailable', 'slow_down']);

/** The ID token is not good any more, or not good enough for the policy (identity-assertion-authz-grant §4.3.5, §8.2). */
const PERSON: ReadonlySet<string> = new Set(['invalid_grant', 'insufficient_user_authentication', 'login_required']);

export const wantsPerson = (error: unknown): boolean => error instanceof OAuthError && PERSON.has(error.code);

/** Without a description the SDK repeats the code. */
const said = ({ code, message }: OAuthError): string => (message === code ? code : `${code}: ${message}`);

export interface AtIdentityProvider {
  readonly idp: string;
  readonly client: string;
  readonly issuer: string;
  readonly resource: string;
}

/** @param error of the request for an ID-JAG */
export function refusalOfIdentityProvider(
  error: unknown,
  { idp, client, issuer, resource }: AtIdentityProvider,
): unknown {
  if (!(error instanceof OAuthError)) {
    const isOther = error instanceof Error && error.message.startsWith('Invalid token exchange response');
    return isOther ? new StartError(`the identity provider ${idp} does not answer with an ID-JAG`) : error;
  }
  if (PASSING.has(error.code)) return error;
  const why = `the identity provider ${idp} gives no ID-JAG (${said(error)})`;
  if (error.code === 'invalid_client') {
    return new StartError(`${why}: compare --idp-client-id and its secret with the client ${client} there`);
  }
  return new StartError(
    `${why}. Its administrator has to let ${client} use ${resource}, whose authorization server is ${issuer}`,
  );
}

const HINTS: Readonly<Record<string, (names: AtServer) => string>> = {
  unsupported_grant_type: () => 'Its operator has to switch enterprise-managed authorization on',
  unauthorized_client: ({ client }) => `Its operator has to allow ${client} the grant jwt-bearer`,
  invalid_client: ({ client }) => `Compare --client-id and its secret with the client ${client} there`,
  invalid_scope: () => 'The scopes are not among those that the ID-JAG and its operator allow',
};

export interface AtServer {
  readonly idp: string;
  readonly client: string;
  readonly issuer: string;
}

/** @param error of the request that presents the ID-JAG */
export function refusalOfServer(error: OAuthError, names: AtServer): Error {
  if (PASSING.has(error.code)) return error;
  const hint = HINTS[error.code]?.(names) ?? 'Its operator finds the reason in its log';
  return new StartError(
    `the authorization server ${names.issuer} refuses the ID-JAG of ${names.idp} (${said(error)}). ${hint}`,
  );
}
