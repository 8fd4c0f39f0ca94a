/**
 * Owns whether an error may send the browser on without a page (RFC 9700 §4.11.2). Anybody can register a client with an address of
 * theirs and have this server’s own URL lead there by a request that is wrong on purpose.
 */
import { isLoopbackUri } from '../clients/loopback.ts';

export interface Failure {
  readonly redirectUri: string;
  /** Whether the operator wrote the client down. */
  readonly isPreRegistered: boolean;
  /** Whether a person has answered our page in this request. */
  readonly wasAsked: boolean;
  /** OpenID Connect Core §3.1.2.1 `prompt=none`: nobody is looking, so a page would be seen by nobody. */
  readonly isSilent: boolean;
}

export const answersDirectly = ({ redirectUri, isPreRegistered, wasAsked, isSilent }: Failure): boolean =>
  isPreRegistered || wasAsked || isSilent || isLoopbackUri(redirectUri);
