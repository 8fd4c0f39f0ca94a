/** Owns what a kind of OpenID provider may do differently from the others. Each member is one deviation that a vendor documents. */
import type { ClientAuth } from 'openid-client';
import type { Identity } from '../../federation/connector.ts';
import type { ClaimOptions, Claims } from './claims.ts';

export interface Quirks {
  /** Scopes beside SCOPES. They are asked for each time, because the rules that need them may change. */
  readonly scopes?: (() => readonly string[]) | undefined;
  /** Parameters of each authorization request. */
  readonly parameters?: Readonly<Record<string, string>> | undefined;
  /** The value of `prompt` that lets a person choose another account. Absent: `select_account` if the metadata lists it, else `login`. */
  readonly accountPrompt?: 'login' | 'select_account' | undefined;
  /** How this server proves who it is at the token endpoint. Absent: with CLIENT_SECRET as CLIENT_AUTH says. */
  readonly clientAuth?: ClientAuth | undefined;
  /** Whether metadata may name this issuer, where one document serves several. Absent: only the configured issuer. */
  readonly acceptsIssuer?: ((issuer: string) => boolean) | undefined;
  /** The `iss` that an id token with these claims must have. Absent: the issuer of the metadata. */
  readonly issuerOf?: ((claims: Readonly<Record<string, unknown>>, issuer: string) => string) | undefined;
  /** Absent: the claim `email_verified` says it. */
  readonly isVerified?: ClaimOptions['isVerified'] | undefined;
  /** Whether userinfo has nothing that the id token does not have. */
  readonly skipsUserInfo?: true | undefined;
  /** The claim with the name under which the person signs in there. Absent: `preferred_username`. */
  readonly usernameClaim?: string | undefined;
  /** Seconds between two questions about a person that the provider allows. Absent: as often as UPSTREAM_RECHECK says. */
  readonly recheckEvery?: number | undefined;
  /** How its tokens for tools differ. */
  readonly tools?: ToolQuirks | undefined;
  /** Completes the identity that the claims give. @throws UpstreamError */
  readonly refine?: ((identity: Identity, signedIn: SignedIn) => Identity | Promise<Identity>) | undefined;
}

/** What `refine` may read. */
interface SignedIn {
  /** The claims of the id token alone: what a signature covers. */
  readonly idToken: Claims;
  /** Absent: the claims come from a file, and nobody is signed in. */
  readonly accessToken: string | undefined;
  /** Ends the requests of `refine`. Absent: each has its own timeout only. */
  readonly signal?: AbortSignal | undefined;
}

interface ToolQuirks {
  /** Parameters of the authorization request beside those of a sign-in. */
  readonly parameters?: Readonly<Record<string, string>> | undefined;
  /** The name under which the provider lists a scope that it has given. Absent: as it was requested. */
  readonly listedAs?: ((scope: string) => string) | undefined;
  /**
   * The scope of an API of this server at the provider. The person allows this one only, and its access token is exchanged for one with
   * the scopes of tools ("on-behalf-of flow"). Absent: the scopes of tools are requested of the person.
   */
  readonly onBehalfOf?: string | undefined;
  /** Whether a revoked token ends everything that the person has allowed this server there, a sign-in too. */
  readonly revokesAll?: true | undefined;
}
