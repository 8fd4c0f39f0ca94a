/**
 * Owns the registration access token (RFC 7592 §1.3), with which a client manages its registration. It is an HMAC over the id
 * of the client, so nothing is stored that could leak or outlive the client: it is valid as long as the client exists. It replaces
 * `provider.RegistrationAccessToken.prototype.generateTokenId` of oidc-provider 9.13.3.
 */
import { createHmac } from 'node:crypto';
import { equalInConstantTime } from '@mcp-oauth/shared/crypto/constant-time';
import type Provider from 'oidc-provider';
import type { Adapter } from 'oidc-provider';
import type { PreRegisteredClients } from '../../clients/pre-registered.ts';

const KIND = 'RegistrationAccessToken';

interface Model {
  readonly clientId: string;
  generateTokenId(): string;
}

const macOf = (clientId: string, key: string): string =>
  createHmac('sha256', key).update(`registration of ${clientId}`).digest('base64url');

/** @param key known to all replicas only */
export function deriveRegistrationAccessTokens(provider: Provider, key: string): void {
  const model = provider.RegistrationAccessToken.prototype as unknown as Model;
  model.generateTokenId = function derive(this: Model): string {
    return `${this.clientId}.${macOf(this.clientId, key)}`;
  };
}

export interface RegistrationAccessTokenOptions {
  /** The first creates tokens, all verify. */
  readonly registrationKeys: readonly string[];
  readonly preRegistered: PreRegisteredClients;
}

export function registrationAccessTokenAdapter({
  registrationKeys,
  preRegistered,
}: RegistrationAccessTokenOptions): Adapter {
  const nothing = async () => undefined;
  return {
    find: async (token) => {
      const dot = Math.max(0, token.lastIndexOf('.'));
      const clientId = token.slice(0, dot);
      const good = registrationKeys.some((key) => equalInConstantTime(token.slice(dot + 1), macOf(clientId, key)));
      // An operator who configures a registered client has taken it over, including its secret.
      if (!good || (await preRegistered.find(clientId))) return undefined;
      // The engine checks next whether the client exists.
      return { jti: token, kind: KIND, clientId };
    },
    upsert: nothing,
    findByUid: nothing,
    findByUserCode: nothing,
    consume: nothing,
    destroy: nothing,
    revokeByGrantId: nothing,
  };
}
