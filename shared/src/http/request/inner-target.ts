/**
 * Owns the request target of a server below a path (`https://example.com/tools`): its routes are below the path, and its metadata is
 * where the path is inserted (RFC 8414 §3.1, RFC 9728 §3.1). What reads the target afterwards sees it without the path.
 */

/**
 * The request target as a server without a path would see it; `undefined` for a target that is not below `path`.
 * @param path without a slash at its end
 * @param wellKnown paths of the documents into which the path is inserted
 */
export function innerTarget(target: string, path: string, wellKnown: readonly string[]): string | undefined {
  for (const document of wellKnown) {
    const rest = after(target, document + path);
    if (rest !== undefined) return document + rest;
  }
  const rest = after(target, path);
  return rest === undefined || rest.startsWith('/') ? rest : `/${rest}`;
}

/** The rest after `prefix`, if a path segment ends there. */
function after(target: string, prefix: string): string | undefined {
  const rest = target.slice(prefix.length);
  return target.startsWith(prefix) && /^([/?]|$)/.test(rest) ? rest : undefined;
}
