/** Owns what a token may do here: by the same policy as a call, and with which proof. */
import type { Principal } from '../../authorization/principal.ts';
import { LACKS_BASE_SCOPE, REFUSALS } from '../../authorization/token/refusals.ts';
import { type Check, type CheckName, mendBy } from './check.ts';
import type { Inspection } from './inspection.ts';

const same = (name: string): string => name;

/** @param refused checks of which nothing more is said */
export function rightsOf(
  principal: Principal,
  inspection: Inspection,
  refused: ReadonlySet<CheckName>,
): readonly Check[] {
  const binding = refused.has('binding') ? [] : bindingOf(principal, inspection);
  return [...binding, scopeOf(principal, inspection), toolsOf(principal, inspection)];
}

function bindingOf({ keyThumbprint }: Principal, { config }: Inspection): readonly Check[] {
  const check = 'binding';
  if (keyThumbprint !== undefined) {
    const note =
      'each request needs a DPoP proof of this key (RFC 9449): as a bearer token it is refused, with the reason sender_constrained. The token alone does not show whether a proof is right: --proof checks one';
    return [{ check, result: 'accepted', found: `to the key ${keyThumbprint}`, note }];
  }
  if (!config.dpopRequired) return [];
  return [
    {
      check,
      ...mendBy('not_bound', REFUSALS.not_bound, same),
      claim: 'cnf',
      found: 'nothing',
      setting: 'DPOP_REQUIRED',
    },
  ];
}

const policyOf = (inspection: Inspection) => inspection.authorization().scopes;

function scopeOf({ scopes }: Principal, inspection: Inspection): Check {
  const { initial, covers } = policyOf(inspection);
  const about = { check: 'scope', found: [...scopes].join(' ') || 'nothing' } as const;
  if (covers(scopes, initial)) return { ...about, result: 'accepted' };
  return {
    ...about,
    ...mendBy('insufficient_scope', LACKS_BASE_SCOPE, same),
    expected: initial.join(' '),
    setting: 'BASE_SCOPE',
  };
}

interface Tools {
  readonly allowed: readonly string[];
  /** With the scopes that they lack. */
  readonly others: readonly string[];
}

/** The tools that a token may call. */
function toolsFor({ scopes }: Principal, inspection: Inspection): Tools {
  const { required, covers } = policyOf(inspection);
  const tools = inspection.catalog.summaries.map(({ name }) => {
    const needed = required({ method: 'tools/call', params: { name } });
    return { name, lacking: needed.filter((scope) => !covers(scopes, [scope])) };
  });
  return {
    allowed: tools.filter(({ lacking }) => lacking.length === 0).map(({ name }) => name),
    others: tools
      .filter(({ lacking }) => lacking.length > 0)
      .map(({ name, lacking }) => `${name} (${lacking.join(' ')})`),
  };
}

function toolsOf(principal: Principal, inspection: Inspection): Check {
  const { allowed, others } = toolsFor(principal, inspection);
  const note = others.length > 0 ? `not with these scopes: ${others.join(', ')}` : undefined;
  return { check: 'tools', result: 'accepted', found: allowed.join(', ') || 'none', note };
}
