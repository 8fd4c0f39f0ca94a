/** Owns what to change if the metadata document of a client is refused: one entry for each reason that the server has. */
import type { Reason } from '../../client-documents/document-error.ts';
import { isAllowed } from '../../client-documents/fetch/hosts.ts';
import { hostPolicyOf } from '../../client-documents/settings.ts';
import type { Config } from '../../config.ts';
import type { Mend } from './check.ts';

const PUBLISHER = 'Correct the document at its URL; this server reads it again after a pause of 30 seconds.';
const COPIES = 'CLIENT_METADATA_COPIES';
const REACH =
  'Let this server reach the host: check its network, or set CLIENT_METADATA_PROXY. Otherwise provide a copy of the document, made with `client-documents fetch` on a machine that can reach it.';

const publisher = (mend = PUBLISHER): Mend => ({ turn: 'client', mend });
const network: Mend = { turn: 'operator', mend: REACH, setting: 'CLIENT_METADATA_PROXY' };

const MENDS: Readonly<Record<Exclude<Reason, 'denied_by_policy'>, Mend>> = {
  url: {
    turn: 'client',
    mend: 'Publish the document at another URL, and use that as client id. For a host inside the network, which production refuses, the operator names it in CLIENT_METADATA_PRIVATE_HOSTS.',
  },
  dns: network,
  private_address: {
    turn: 'operator',
    mend: 'The host name leads to an address inside the network. Publish the document on a public host, or name the host in CLIENT_METADATA_PRIVATE_HOSTS, which production refuses.',
    setting: 'CLIENT_METADATA_PRIVATE_HOSTS',
  },
  connection: network,
  tls: {
    turn: 'client',
    mend: 'Serve the document with a certificate that this server trusts. For a private authority the operator sets NODE_EXTRA_CA_CERTS.',
    setting: 'NODE_EXTRA_CA_CERTS',
  },
  timeout: network,
  proxy: {
    turn: 'operator',
    mend: 'Correct the proxy, or let it connect to the host.',
    setting: 'CLIENT_METADATA_PROXY',
  },
  status: {
    turn: 'client',
    mend: 'Let the host answer this server with 200, without a redirect. If a firewall refuses this server, the operator can provide a copy of the document.',
    setting: COPIES,
  },
  missing: publisher(),
  gone: publisher(),
  content_type: publisher(),
  encoding: publisher(),
  too_large: publisher(),
  not_json: publisher(),
  client_id_mismatch: publisher('Write the URL of the document into it as `client_id`, character by character.'),
  shared_secret: publisher(
    'Remove the secret from the public document: `token_endpoint_auth_method` is `none`, or `private_key_jwt` with keys.',
  ),
  invalid: publisher(),
  limited: { turn: 'operator', mend: 'Try again in a minute.', setting: 'CLIENT_METADATA_LIMIT' },
};

export function mendDocument(reason: Reason, clientId: string, config: Config): Mend {
  if (reason !== 'denied_by_policy') return MENDS[reason];
  const url = URL.parse(clientId);
  const isDenied = url !== null && !isAllowed({ ...hostPolicyOf(config), allow: ['*'] }, url);
  return isDenied
    ? { turn: 'operator', mend: 'Remove the host from CLIENT_METADATA_DENY.', setting: 'CLIENT_METADATA_DENY' }
    : { turn: 'operator', mend: `Add ${url?.hostname} to CLIENT_METADATA_ALLOW.`, setting: 'CLIENT_METADATA_ALLOW' };
}
