/** Owns what an MCP client keeps between runs: registration and tokens, in the form that both SDKs require. */
import { randomUUID } from 'node:crypto';
import type { OAuthClientProvider as OAuthClientProviderV2 } from '@modelcontextprotocol/client';
import type { OAuthClientProvider as OAuthClientProviderV1 } from '@modelcontextprotocol/sdk/client/auth.js';
import type { OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';

type Both = OAuthClientProviderV1 & OAuthClientProviderV2;

/** Survives a restart of the servers, like a file on the client's disk. */
export class ClientState {
  readonly redirectUrl: string;
  /** URL of the client's metadata document, if it publishes one. */
  readonly clientMetadataUrl: string | undefined;
  readonly expectedState = randomUUID();
  stored: { client?: unknown; tokens?: OAuthTokens; verifier?: string; discovery?: unknown } = {};
  /** The last URL that the client wanted to open in a browser. */
  authorizationUrl: URL | undefined;
  /** How often the client saved tokens: sign-ins and refreshes. */
  saved = 0;

  constructor(redirectUrl: string, clientMetadataUrl?: string) {
    this.redirectUrl = redirectUrl;
    this.clientMetadataUrl = clientMetadataUrl;
  }

  provider(name: string): Both {
    const provider = {
      redirectUrl: this.redirectUrl,
      ...(this.clientMetadataUrl && { clientMetadataUrl: this.clientMetadataUrl }),
      clientMetadata: {
        client_name: name,
        redirect_uris: [this.redirectUrl],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
      },
      state: () => this.expectedState,
      clientInformation: () => this.stored.client,
      saveClientInformation: (client: unknown) => {
        this.stored.client = client;
      },
      tokens: () => this.stored.tokens,
      saveTokens: (tokens: OAuthTokens) => {
        this.stored.tokens = tokens;
        this.saved += 1;
      },
      redirectToAuthorization: (url: URL) => {
        this.authorizationUrl = url;
      },
      saveCodeVerifier: (verifier: string) => {
        this.stored.verifier = verifier;
      },
      codeVerifier: () => this.stored.verifier ?? '',
      saveDiscoveryState: (discovery: unknown) => {
        this.stored.discovery = discovery;
      },
      discoveryState: () => this.stored.discovery,
    };
    return provider as unknown as Both;
  }

  /** Replaces the stored access token with one that the server does not accept, as after its expiry. */
  spoilAccessToken(): void {
    if (this.stored.tokens) this.stored.tokens = { ...this.stored.tokens, access_token: 'expired' };
  }

  takeAuthorizationUrl(): URL {
    const url = this.authorizationUrl;
    if (!url) throw new Error('the client did not ask to open a browser');
    this.authorizationUrl = undefined;
    return url;
  }
}
