/** Owns the settings of Client ID Metadata Documents: whether they are read, from which hosts and how often. */
import { optional, type Problem, setting, type Values } from '@mcp-oauth/shared/settings/config';
import { proxyUrl } from '@mcp-oauth/shared/settings/proxy';
import { duration, flag, integer, text } from '@mcp-oauth/shared/settings/types';
import { hostPatterns, hostsToTheLetter } from './hosts.ts';

export const clientMetadataSettings = {
  clientMetadata: setting({
    env: 'CLIENT_METADATA',
    doc: 'Whether a client may be known by the URL of a document about itself (Client ID Metadata Documents).',
    type: flag(),
    default: 'true',
  }),
  clientMetadataAllow: setting({
    env: 'CLIENT_METADATA_ALLOW',
    doc: 'Hosts whose documents are accepted, separated by commas; `*.example.com` is everything below example.com, `*` is all.',
    type: hostPatterns(),
    default: '*',
    example: 'claude.ai,*.example.com',
  }),
  clientMetadataDeny: setting({
    env: 'CLIENT_METADATA_DENY',
    doc: 'Hosts from which neither documents nor keys of clients are read, in the same form. Wins over CLIENT_METADATA_ALLOW.',
    type: hostPatterns(),
    default: 'none',
  }),
  clientMetadataPrivateHosts: setting({
    env: 'CLIENT_METADATA_PRIVATE_HOSTS',
    doc: 'Hosts, as `host` or `host:port`, whose documents may be inside the network and on any port, for tests and closed networks. Their certificates must be trusted: see NODE_EXTRA_CA_CERTS of Node. Refused in production.',
    type: hostsToTheLetter(),
    default: 'none',
    example: 'localhost:8443',
  }),
  clientMetadataProxy: optional({
    env: 'CLIENT_METADATA_PROXY',
    doc: 'HTTP proxy through which documents and keys of clients are read, for networks without another way out. It must refuse private addresses: this server sees only names then. NO_PROXY does not apply, and HTTPS_PROXY is never used for them.',
    type: proxyUrl(),
    secret: true,
    example: 'http://proxy.example.com:3128',
  }),
  clientMetadataCopies: optional({
    env: 'CLIENT_METADATA_COPIES',
    doc: 'Folder with copies of documents of clients whose hosts this server can’t ask, made by `auth-server client-documents fetch` on a machine that can. A copy is used until its host has answered once, and for 180 days at most. A relative path starts at the root of the project.',
    type: text(),
    example: '/etc/auth-server/client-documents',
  }),
  clientMetadataStale: setting({
    env: 'CLIENT_METADATA_STALE',
    doc: 'How long the last good document of a client is used while its host can’t be reached.',
    type: duration(3_600),
    default: '30d',
  }),
  clientMetadataLimit: setting({
    env: 'CLIENT_METADATA_LIMIT',
    doc: 'Maximum number of documents of clients that are not known yet which are fetched for one address in an hour.',
    type: integer(1, 1_000_000),
    default: '60',
  }),
};

type ClientMetadataSettings = Partial<Values<typeof clientMetadataSettings>> & {
  readonly environment?: string | undefined;
};

export function judgeClientMetadata(settings: ClientMetadataSettings): readonly Problem[] {
  const { environment, clientMetadataPrivateHosts } = settings;
  if (environment !== 'production' || !clientMetadataPrivateHosts?.length) return [];
  const message = 'lets strangers have this server read inside the network; not in production';
  return [{ env: 'CLIENT_METADATA_PRIVATE_HOSTS', message }];
}
