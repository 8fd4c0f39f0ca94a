/** Owns how the explanation is shown: each check, and one sentence that says who is let in, or who has to change what. */
import { writeChecks, writeJson } from '@mcp-oauth/shared/cli/checks';
import type { Output } from '@mcp-oauth/shared/service';
import { shownTime } from '../../authorization/finding.ts';
import type { Principal } from '../../authorization/principal.ts';
import type { Check } from './check.ts';
import type { Explanation } from './explanation.ts';

interface Report extends Explanation {
  readonly resource: string;
}

type Turn = 'issuer' | 'operator';

const refusedIn = ({ checks }: Explanation): readonly Check[] => checks.filter(({ result }) => result === 'refused');

export const isAccepted = (explanation: Explanation): boolean => refusedIn(explanation).length === 0;

export function writeReport(report: Report, stdout: Output, asJson: boolean): void {
  const { checks, resource, principal } = report;
  const told = { accepted: isAccepted(report), resource, turn: turnsOf(report), checks };
  if (asJson) writeJson(principal ? { ...told, token: described(principal) } : told, stdout);
  else writeChecks(checks.map(shown), conclusion(report), stdout);
}

const described = ({ issuer, subject, clientId, expiresAt, scopes, keyThumbprint }: Principal) => ({
  issuer,
  subject,
  client: clientId ?? null,
  until: shownTime(expiresAt),
  scopes: [...scopes],
  needsProof: keyThumbprint !== undefined,
});

function shown({ check, result, reason, meaning, claim, header, found, expected, there, here, setting, note }: Check) {
  return {
    check,
    result,
    found,
    details: [
      ['refused', [reason, meaning].filter(Boolean).join(': ')],
      ['claim', claim],
      ['header', header],
      ['expected', expected],
      ['at the issuer, or in the client', there],
      ['here', here],
      ['setting', setting],
      ['note', note],
    ] as const,
  };
}

/** Those who can mend it. */
const turnsOf = (explanation: Explanation): readonly Turn[] => {
  const faults = refusedIn(explanation);
  const turns: Readonly<Record<Turn, boolean>> = {
    issuer: faults.some(({ there }) => there),
    operator: faults.some(({ here }) => here),
  };
  return (['issuer', 'operator'] as const).filter((turn) => turns[turn]);
};

function conclusion(report: Report): string {
  const { checks, resource, principal } = report;
  if (!isAccepted(report)) return `Refused: it is the turn of ${turnsText(report)}.`;
  if (checks.some(({ result }) => result === 'unchecked')) {
    return 'Nothing is refused. What is marked with · was not checked.';
  }
  const proof = principal?.keyThumbprint === undefined ? '' : ' with a DPoP proof';
  return `Accepted: ${resource} lets ${principal?.subject} in${proof} until ${shownTime(principal?.expiresAt)}.`;
}

function turnsText(report: Report): string {
  const faults = refusedIn(report);
  const settings = [...new Set(faults.flatMap(({ here, setting }) => (here && setting ? [setting] : [])))];
  const texts: Readonly<Record<Turn, string>> = {
    issuer: 'the operator of the issuer or the developer of the client',
    operator: `the operator of this server${settings.length > 0 ? ` (${settings.join(', ')})` : ''}`,
  };
  // Each can mend it alone if each fault has a mend on both sides.
  const isEither = faults.every(({ there, here }) => there && here);
  return turnsOf(report)
    .map((turn) => texts[turn])
    .join(isEither ? ', or of ' : ', and of ');
}
