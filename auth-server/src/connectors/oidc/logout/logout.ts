/**
 * Owns what an OpenID provider and this server tell each other about a logout: tokens that the provider sends (Back-Channel Logout
 * 1.0), and its page where a person signs out (RP-Initiated Logout 1.0 §2).
 */
import type { Clock } from '@mcp-oauth/shared/clock';
import type { UpstreamLogout } from '../../../federation/connector.ts';
import type { Provider } from '../provider.ts';
import type { Quirks } from '../quirks.ts';
import type { OidcSettings } from '../settings.ts';
import { readLogoutToken, renewedRarely } from './logout-token.ts';

export function createLogout(
  { clientId, logoutEndsApprovals }: OidcSettings,
  { metadata, keys }: Provider,
  { clock, quirks }: { readonly clock: Clock; readonly quirks: Quirks },
): UpstreamLogout {
  const rarely = renewedRarely(keys, clock);
  const readToken = async (token: string) => {
    const { issuer, algorithms } = await metadata.get();
    return readLogoutToken(token, { issuer, issuerOf: quirks.issuerOf, clientId, algorithms, keys: rarely, clock });
  };
  return {
    endsApprovals: logoutEndsApprovals === true,
    ...(logoutEndsApprovals !== undefined && { readToken }),
    page: async (hint) => {
      const { server } = await metadata.get();
      const page = server.end_session_endpoint === undefined ? null : URL.parse(server.end_session_endpoint);
      if (!page || !/^https?:$/.test(page.protocol)) return undefined;
      // §2: without an id token as a hint, the provider learns from these two who asks and for whom.
      page.searchParams.set('client_id', clientId);
      if (hint !== undefined) page.searchParams.set('logout_hint', hint);
      return page;
    },
  };
}
