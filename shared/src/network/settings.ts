/** Owns the settings of outgoing requests: the proxy for https URLs that the operator names, and the hosts that need no proxy. */
import { z } from 'zod';
import { type Environment, optional } from '../settings/config.ts';
import { readNoProxy, type SkipsProxy } from './no-proxy.ts';

/** The URL of an HTTP proxy, with or without a user and password. */
export const proxyUrl = (): z.ZodType<URL, string> =>
  z.string().transform((text, context): URL => {
    const value = text.trim();
    const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`);
    const isPlace = url && /^https?:$/.test(url.protocol) && url.pathname === '/' && !url.search && !url.hash;
    if (isPlace && canBeDecoded(url)) return url;
    context.addIssue({
      code: 'custom',
      message: 'expected the URL of an HTTP proxy, such as http://proxy.example.com:3128',
    });
    return z.NEVER;
  });

function canBeDecoded({ username, password }: URL): boolean {
  try {
    return decodeURIComponent(username + password) !== undefined;
  } catch {
    return false;
  }
}

/** Entries that only other programs understand are ignored: their hosts are requested through the proxy. */
const withoutProxy = (): z.ZodType<SkipsProxy, string> => z.string().transform(readNoProxy);

export const proxySettings = {
  httpsProxy: optional({
    env: 'HTTPS_PROXY',
    doc: 'HTTP proxy for https URLs that the operator names: issuer, keys, identity providers, resource metadata. Its URL may have a user and a password. http URLs are inside the network and are always requested directly. `https_proxy` is read if this is not set.',
    type: proxyUrl(),
    secret: true,
    example: 'http://proxy.example.com:3128',
  }),
  noProxy: optional({
    env: 'NO_PROXY',
    doc: 'Hosts that are requested without HTTPS_PROXY, separated by commas: names (with all their subdomains), addresses, CIDR ranges, each with a port or for all ports; `*` means every host. Anything else in it is ignored. `no_proxy` is read if this is not set.',
    type: withoutProxy(),
    example: 'id.example.com,10.0.0.0/8',
  }),
};

/** The variables of the proxy in the spelling of the settings: most programs accept them in lower case as well. */
export const withProxyVariables = (env: Environment): Environment => ({
  ...env,
  HTTPS_PROXY: env.HTTPS_PROXY || env.https_proxy,
  NO_PROXY: env.NO_PROXY || env.no_proxy,
});
