/**
 * Owns the settings of restated metadata: clients read the metadata of an issuer at this server, with what the issuer can do but does not
 * say, or says and does not do for them.
 */
import { optional, type Problem, setting, type Values } from '@mcp-oauth/shared/settings/config';
import * as type from '@mcp-oauth/shared/settings/types';
import type { TokenRules } from '../../token/rules.ts';
import { metadataUrls } from '../issuer-metadata.ts';
import type { Restatement } from './metadata.ts';

const isRedirectUri = (value: string): boolean => URL.canParse(value) && !value.includes('#');

export const restatedSettings = {
  issuerMetadata: setting({
    env: 'ISSUER_METADATA',
    doc: 'Where clients read the metadata of the issuer. `here`: at PUBLIC_URL, which is then the authorization server that they know, [for an issuer without registration or one that refuses `resource`](existing-issuers/metadata-from-here.md). Codes and tokens still go to the issuer alone.',
    type: type.oneOf('issuer', 'here'),
    default: 'issuer',
  }),
  issuerClientId: optional({
    env: 'ISSUER_CLIENT_ID',
    doc: 'Id of the one public client that you registered at the issuer, without a secret. With ISSUER_METADATA=here every client that registers here gets this id.',
    type: type.text(),
    example: 'mcp-client',
  }),
  issuerClientRedirectUris: optional({
    env: 'ISSUER_CLIENT_REDIRECT_URIS',
    doc: 'Redirect URIs of that client, as they are registered at the issuer. A client that asks for another one is refused. A loopback URI stands for every port (RFC 8252 §7.3), which the issuer has to allow too.',
    type: type.exactList().refine((values) => values.length > 0 && values.every(isRedirectUri), {
      message: 'expected absolute URIs without a fragment',
    }),
    example: 'http://localhost/callback,https://claude.ai/api/mcp/auth_callback',
  }),
  issuerResourceParameter: setting({
    env: 'ISSUER_RESOURCE_PARAMETER',
    doc: 'Whether the authorization request keeps `resource` (RFC 8707). `drop`, with ISSUER_METADATA=here: the browser passes through this server, which leaves `resource` out and changes nothing else. Clients send it to the token endpoint all the same.',
    type: type.oneOf('keep', 'drop'),
    default: 'keep',
  }),
  issuerPkce: setting({
    env: 'ISSUER_PKCE_METHOD',
    doc: 'What metadata with ISSUER_METADATA=here says about PKCE: what the issuer `announced`, or `S256` for an issuer that does it without saying so. Clients refuse an issuer that does not announce S256.',
    type: type.oneOf('announced', 'S256'),
    default: 'announced',
  }),
} as const;

type RestatedValues = Values<typeof restatedSettings>;

export function judgeRestated(
  values: Partial<RestatedValues> & { readonly issuerAnnounced?: boolean | undefined },
  variable: TokenRules['variable'],
): readonly Problem[] {
  const { issuerMetadata, issuerClientId: id, issuerClientRedirectUris: uris, issuerAnnounced } = values;
  const problem = (name: string, message: string): Problem => ({ env: variable(name), message });
  if (issuerMetadata !== 'here') {
    const idle = [
      ...(id === undefined ? [] : ['ISSUER_CLIENT_ID']),
      ...(uris === undefined ? [] : ['ISSUER_CLIENT_REDIRECT_URIS']),
      ...(values.issuerResourceParameter === 'drop' ? ['ISSUER_RESOURCE_PARAMETER'] : []),
    ];
    return idle.map((name) => problem(name, `changes nothing without ${variable('ISSUER_METADATA')}=here`));
  }
  return [
    ...(issuerAnnounced === false
      ? [problem('ISSUER_METADATA', `is here, but ${variable('ISSUER_ANNOUNCED')}=false hides the issuer from clients`)]
      : []),
    ...(id !== undefined && uris === undefined
      ? [problem('ISSUER_CLIENT_REDIRECT_URIS', `is needed with ${variable('ISSUER_CLIENT_ID')}`)]
      : []),
    ...(id === undefined && uris !== undefined
      ? [problem('ISSUER_CLIENT_ID', `is needed with ${variable('ISSUER_CLIENT_REDIRECT_URIS')}`)]
      : []),
  ];
}

/** @returns nothing if clients read the metadata at the issuer */
export function restatementOf(values: RestatedValues, variable: TokenRules['variable']): Restatement | undefined {
  if (values.issuerMetadata !== 'here') return undefined;
  const { issuerClientId: id, issuerClientRedirectUris: redirectUris = [] } = values;
  return {
    client: id === undefined ? undefined : { id, redirectUris },
    dropsResource: values.issuerResourceParameter === 'drop',
    pkce: values.issuerPkce === 'S256',
    setting: variable('ISSUER_METADATA'),
  };
}

/** An issuer that is configured together with others. */
interface Party {
  readonly url: string;
  readonly isHere: boolean;
  /** Its variable that says where its metadata is. */
  readonly setting: string;
}

/** One document can be at a place: that of one issuer here, and of no issuer that has its own at this origin. */
export function judgePlaces(parties: readonly Party[], publicUrl: string): readonly Problem[] {
  const [here, ...more] = parties.filter(({ isHere }) => isHere);
  if (!here) return [];
  const places = metadataUrls(publicUrl);
  const resident = parties.find(({ url }) => metadataUrls(url).some((place) => places.includes(place)));
  return [
    ...more.map(({ setting: env }) => ({
      env,
      message: `only one issuer can have its metadata here, and ${here.setting} says so of another`,
    })),
    ...(resident
      ? [{ env: here.setting, message: `is here, where the metadata of ${resident.url} is already (PUBLIC_URL)` }]
      : []),
  ];
}
