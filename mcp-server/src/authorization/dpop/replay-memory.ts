/** Owns the port to the memory of used DPoP proofs (RFC 9449 §11.1): each is good once, at however many replicas. */
export interface ReplayMemory {
  /**
   * Notes that `id` is used, for `ttl` milliseconds. @returns whether it was not noted yet; of many at once exactly one is first
   * @throws Error when that can't be said
   */
  firstUse(id: string, ttl: number): Promise<boolean>;
}
