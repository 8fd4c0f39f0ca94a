/** Owns the settings of the way out: the proxy for https URLs that the operator names, and which hosts need none. */
import { z } from 'zod';
import { readNoProxy, type SkipsProxy } from '../network/no-proxy.ts';
import { type Environment, optional } from './config.ts';

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

/** What other programs read in their own ways names no host here: it is left out, so that host is asked through the proxy. */
const withoutProxy = (): z.ZodType<SkipsProxy, string> => z.string().transform(readNoProxy);

export const proxySettings = {
  httpsProxy: optional({
    env: 'HTTPS_PROXY',
    doc: 'HTTP proxy for https URLs that the operator names: issuer, keys, identity providers, resource metadata. It may have a user and a password. http URLs are inside the network and are always asked directly. `https_proxy` is read where this is not set.',
    type: proxyUrl(),
    secret: true,
    example: 'http://proxy.example.com:3128',
  }),
  noProxy: optional({
    env: 'NO_PROXY',
    doc: 'Hosts that are asked without HTTPS_PROXY, separated by commas: names (with all below them), addresses, CIDR ranges, each with a port or for all ports; `*` is everything. Anything else in it is left out. `no_proxy` is read where this is not set.',
    type: withoutProxy(),
    example: 'id.example.com,10.0.0.0/8',
  }),
};

/** The variables of the proxy in the spelling of the settings: most programs take them in lower case as well. */
export const withProxyVariables = (env: Environment): Environment => ({
  ...env,
  HTTPS_PROXY: env.HTTPS_PROXY || env.https_proxy,
  NO_PROXY: env.NO_PROXY || env.no_proxy,
});
