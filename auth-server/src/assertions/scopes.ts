/** Owns which scopes a token for an ID-JAG may have: those that the request, the ID-JAG and the issuer have in common. Pure. */

interface ScopeLimits {
  /** What the client requested; empty: nothing in particular. */
  readonly asked: readonly string[];
  /** What the ID-JAG says; absent: it limits nothing. */
  readonly said: readonly string[] | undefined;
  /** The most that the issuer may give. */
  readonly cap: readonly string[];
  /** What a client gets that requests nothing, if the ID-JAG says nothing either. */
  readonly usual: readonly string[];
}

export function scopesWithin({ asked, said, cap, usual }: ScopeLimits): readonly string[] {
  const wanted = asked.length > 0 ? asked : (said ?? usual);
  return wanted.filter((scope) => cap.includes(scope) && (said?.includes(scope) ?? true));
}
