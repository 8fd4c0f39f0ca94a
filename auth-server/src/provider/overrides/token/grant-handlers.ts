/**
 * Owns the wrappers around the engine's handlers of a token request (RFC 6749 §3.2), one for each grant type. The engine of
 * oidc-provider 9.13.3 registers its own handlers by `registerGrantType` in its constructor, which is extended here.
 */
import Provider, { type KoaContextWithOIDC, type TokenEndpointGrantContext } from 'oidc-provider';

export type GrantHandler = (ctx: KoaContextWithOIDC) => Promise<void>;
export type GrantWrappers = Readonly<Record<string, (handler: GrantHandler) => GrantHandler>>;

type Names = string | readonly string[] | ReadonlySet<string>;

/** An engine whose handlers run inside these wrappers. */
export function providerWith(wrappers: GrantWrappers): typeof Provider {
  return class extends Provider {
    override registerGrantType<Parameters extends object>(
      name: string,
      handler: (ctx: TokenEndpointGrantContext<Parameters>) => void | Promise<void>,
      parameters?: Names,
      duplicates?: Names,
    ): void {
      const wrap = wrappers[name];
      super.registerGrantType(name, wrap ? wrap(handler as GrantHandler) : handler, parameters, duplicates);
    }
  };
}
