/** Owns the preset of Microsoft Entra ID: tokens of version 1.0 and 2.0, of one tenant or of several. */
import { type Preset, TENANT } from './preset.ts';

const SEVERAL = /^\/(common|organizations)(\/v2\.0)?\/?$/;

/** Tokens of version 1.0 come from another host than those of version 2.0. */
const template = (issuer: string): string | undefined => {
  const { origin, pathname } = new URL(issuer);
  const [matched, , version] = SEVERAL.exec(pathname) ?? [];
  if (!matched) return undefined;
  return version ? `${origin}/${TENANT}/v2.0` : `https://sts.windows.net/${TENANT}/`;
};

const TENANT_ID = /^\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(\/|$)/i;

/** `iss` has the id of a tenant, also where a request may name a domain or `consumers`. */
const flaw = (issuer: string): string | undefined =>
  template(issuer) || TENANT_ID.test(new URL(issuer).pathname)
    ? undefined
    : 'no token has this issuer: name the id of your tenant, or organizations for several that TOKEN_REQUIRED_CLAIMS names';

export const entra: Preset = {
  page: 'https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference',
  defaults: {
    TOKEN_TYPES: { value: 'JWT', quirk: '`typ` is always JWT' },
    TOKEN_CLIENT_CLAIMS: {
      value: 'azp,appid',
      quirk: 'the client is in `azp` (version 2.0) or `appid` (version 1.0); an ID token has neither',
    },
    TOKEN_SCOPE_CLAIMS: {
      value: 'scp,roles',
      quirk: '`scp` is what a person granted to the client; an application without a person has only `roles`',
    },
    ISSUER_PKCE_METHOD: {
      value: 'S256',
      quirk: 'it does PKCE, and its metadata does not say so',
      page: 'https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow',
    },
  },
  flaw,
  template,
  organisation: (issuer) => (template(issuer) ? ['tid'] : []),
};
