/**
 * Owns the check of a DPoP proof (RFC 9449 §4.3) for grants that are not the engine's: by its own functions, which oidc-provider 9.13.3
 * gives to its own grants only.
 */
import type Provider from 'oidc-provider';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
// @ts-expect-error The engine has no types for its inner modules.
import * as engine from 'oidc-provider/lib/helpers/validate_dpop.js';

interface Proof {
  /** RFC 7638 thumbprint of its key. */
  readonly thumbprint: string;
}

interface EngineChecks {
  default(provider: Provider, ctx: KoaContextWithOIDC): Promise<Proof | undefined>;
  checkDpopReplay(
    provider: Provider,
    ctx: KoaContextWithOIDC,
    proof: Proof,
    clientId: string,
    refusal: typeof errors.InvalidDpopProof,
  ): Promise<void>;
}

const checks: EngineChecks = engine;

/**
 * @returns the thumbprint of the key of the proof; `undefined` if the request has none
 * @throws InvalidDpopProof also for a proof that was used before
 */
export async function checkProof(ctx: KoaContextWithOIDC, clientId: string): Promise<string | undefined> {
  const { provider } = ctx.oidc;
  const proof = await checks.default(provider, ctx);
  if (!proof) return undefined;
  await checks.checkDpopReplay(provider, ctx, proof, clientId, errors.InvalidDpopProof);
  return proof.thumbprint;
}
