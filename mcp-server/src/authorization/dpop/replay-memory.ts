/**
 * Owns the port to the memory of used DPoP proofs (RFC 9449 §11.1): each is accepted once, by all replicas
 * together.
 */
export interface ReplayMemory {
  /**
   * Records that `id` is used, for `ttl` milliseconds.
   * @returns whether it was new; exactly one of several concurrent calls gets true
   * @throws Error when the memory is unavailable
   */
  firstUse(id: string, ttl: number): Promise<boolean>;
}
