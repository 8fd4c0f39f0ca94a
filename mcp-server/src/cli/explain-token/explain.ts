/** Owns the choice how a token is explained: as a JWT, or as an opaque token by asking its issuer. */
import { looksLikeJwt } from '../../authorization/introspection/opaque.ts';
import type { Explanation, Way } from './explanation.ts';
import type { Inspection } from './inspection.ts';
import { explainJwt } from './jwt/explain.ts';
import { explainOpaque } from './opaque.ts';

export function explainToken(token: string, inspection: Inspection, way: Way): Promise<Explanation> {
  const isAsked = inspection.config.issuers.some(({ introspection }) => introspection);
  const explain = isAsked && !looksLikeJwt(token) ? explainOpaque : explainJwt;
  return explain(token, inspection, way);
}
