/**
 * Owns whether an error may redirect the browser without showing a page (RFC 9700 §4.11.2). Without this check anybody could
 * register a client with a malicious address and use an invalid request to make this server an open redirector.
 */
import { isLoopbackUri } from '../clients/loopback.ts';

export interface Failure {
  readonly redirectUri: string;
  /** Whether the operator configured the client. */
  readonly isPreRegistered: boolean;
  /** Whether a person has answered the sign-in page of this request. */
  readonly wasAsked: boolean;
  /** OpenID Connect Core §3.1.2.1 `prompt=none`: no person is present, so a page would be useless. */
  readonly isSilent: boolean;
}

export const answersDirectly = ({ redirectUri, isPreRegistered, wasAsked, isSilent }: Failure): boolean =>
  isPreRegistered || wasAsked || isSilent || isLoopbackUri(redirectUri);
