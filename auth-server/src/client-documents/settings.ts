/** Owns the settings of Client ID Metadata Documents: whether they are read, from which hosts and how often. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { proxyUrl } from '@mcp-oauth/shared/network/settings';
import { optional, type Problem, setting, type Values } from '@mcp-oauth/shared/settings/config';
import { duration, flag, integer, text } from '@mcp-oauth/shared/settings/types';
import { type HostPolicy, hostPatterns, hostsToTheLetter } from './fetch/hosts.ts';

export const clientDocumentSettings = {
  clientMetadata: setting({
    env: 'CLIENT_METADATA',
    doc: 'Whether a client may identify itself by the URL of its metadata document (Client ID Metadata Documents).',
    type: flag(),
    default: 'true',
  }),
  clientMetadataAllow: setting({
    env: 'CLIENT_METADATA_ALLOW',
    doc: 'Hosts whose client metadata documents are accepted, separated by commas. `*.example.com` means every host below example.com, `*` means every host.',
    type: hostPatterns(),
    default: '*',
    example: 'claude.ai,*.example.com',
  }),
  clientMetadataDeny: setting({
    env: 'CLIENT_METADATA_DENY',
    doc: 'Hosts from which neither metadata documents nor keys of clients are read, in the same form. Takes precedence over CLIENT_METADATA_ALLOW.',
    type: hostPatterns(),
    default: 'none',
  }),
  clientMetadataPrivateHosts: setting({
    env: 'CLIENT_METADATA_PRIVATE_HOSTS',
    doc: 'Hosts, as `host` or `host:port`, whose documents may be inside the network and on any port, for tests and closed networks. This server must trust their certificates: see NODE_EXTRA_CA_CERTS of Node. Refused in production.',
    type: hostsToTheLetter(),
    default: 'none',
    example: 'localhost:8443',
  }),
  clientMetadataProxy: optional({
    env: 'CLIENT_METADATA_PROXY',
    doc: 'HTTP proxy through which metadata documents and keys of clients are read, for networks without direct internet access. The proxy must refuse private addresses, because this server then sees host names only. NO_PROXY does not apply, and HTTPS_PROXY is never used for these requests.',
    type: proxyUrl(),
    secret: true,
    example: 'http://proxy.example.com:3128',
  }),
  clientMetadataCopies: optional({
    env: 'CLIENT_METADATA_COPIES',
    doc: 'Folder with copies of the metadata documents of clients whose hosts can’t be reached or refuse this server. `auth-server client-documents fetch` makes them on a machine that can. A copy is used until its host has answered once, and for at most 180 days. A relative path starts at the root of the project.',
    type: text(),
    example: '/etc/auth-server/client-documents',
  }),
  clientMetadataStale: setting({
    env: 'CLIENT_METADATA_STALE',
    doc: 'How long the last valid document of a client is used while its host can’t be reached.',
    type: duration(3_600),
    default: '30d',
  }),
  clientMetadataLimit: setting({
    env: 'CLIENT_METADATA_LIMIT',
    doc: 'Maximum number of metadata documents of unknown clients that are fetched for one address per hour.',
    type: integer(1, 1_000_000),
    default: '60',
  }),
};

type ClientDocumentSettings = Values<typeof clientDocumentSettings>;

/** The hosts whose documents are read. */
export const hostPolicyOf = (settings: ClientDocumentSettings): HostPolicy => ({
  allow: settings.clientMetadataAllow,
  deny: settings.clientMetadataDeny,
  private: settings.clientMetadataPrivateHosts,
});

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** The folder with the operator's copies of documents. */
export const copyFolderOf = ({ clientMetadataCopies: folder }: ClientDocumentSettings): string | undefined =>
  folder === undefined ? undefined : resolve(ROOT, folder);

export function judgeClientDocuments(
  settings: Partial<ClientDocumentSettings> & { readonly environment?: string | undefined },
): readonly Problem[] {
  const { environment, clientMetadataPrivateHosts } = settings;
  if (environment !== 'production' || !clientMetadataPrivateHosts?.length) return [];
  const message = 'makes requests inside the network possible for anybody: refused in production';
  return [{ env: 'CLIENT_METADATA_PRIVATE_HOSTS', message }];
}
