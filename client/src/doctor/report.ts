/**
 * Owns how findings are shown: a line for each step, and one sentence at the end that says who has to act. Texts of servers are shown
 * without control characters, and tokens are not shown, even if a server repeats them.
 */
import { visible } from '@mcp-oauth/shared/text/terminal-text';
import type { Outcome, Responsible } from './step.ts';
import type { Finding } from './walk.ts';

const MARKS: Readonly<Record<Outcome, string>> = { passed: '✓', note: '!', fault: '✗', 'not-tried': '-' };

const WIDTH = 14;
const LONGEST = 1_500;

/** @param secrets the tokens of this run */
export function cleaned(finding: Finding, secrets: readonly string[]): Finding {
  const { says, fix, issuer, ...others } = finding;
  return {
    ...others,
    says: clean(says, secrets),
    ...(fix !== undefined && { fix: clean(fix, secrets) }),
    ...(issuer !== undefined && { issuer: clean(issuer, secrets) }),
  };
}

const clean = (text: string, secrets: readonly string[]): string =>
  visible(secrets.reduce((rest, secret) => rest.replaceAll(secret, '…'), text).replace(/\s+/g, ' ')).slice(0, LONGEST);

export function lineOf({ outcome, step, issuer, says, fix }: Finding): string {
  const about = `${issuer === undefined ? '' : `${issuer}: `}${outcome === 'not-tried' ? 'not tried: ' : ''}`;
  const first = `  ${MARKS[outcome]} ${step.padEnd(WIDTH)}${about}${says}\n`;
  return fix === undefined ? first : `${first}${' '.repeat(4 + WIDTH)}→ ${fix}\n`;
}

const WHO: Readonly<Record<Responsible, string>> = {
  'mcp-server': 'The operator of the MCP server has to act',
  'authorization-server': 'The operator of the authorization server has to act',
  network: 'The operator of the network, the proxy or the firewall in front of the server has to act',
  user: 'You have to act, as the user of the client',
};

const WITHOUT_TOKEN = 'No fault without a token. The steps that need one are not tried: --login signs in.';
const HEALTHY = 'No fault: clients can connect.';

export interface Conclusion {
  readonly healthy: boolean;
  readonly responsible?: Responsible;
  readonly sentence: string;
}

/** The first fault decides: those after it may be its consequences. */
export function conclude(findings: readonly Finding[]): Conclusion {
  const [first, ...others] = findings.filter(({ outcome }) => outcome === 'fault');
  const nameOf = ({ step, issuer }: Finding) => (issuer === undefined ? step : `${step} (${issuer})`);
  if (!first?.responsible) {
    const isComplete = findings.some(({ step, outcome }) => step === 'initialize' && outcome === 'passed');
    return { healthy: true, sentence: isComplete ? HEALTHY : WITHOUT_TOKEN };
  }
  const then = others.length > 0 ? ` Then look at: ${others.map(nameOf).join(', ')}.` : '';
  const { responsible } = first;
  return { healthy: false, responsible, sentence: `${WHO[responsible]}: ${nameOf(first)}.${then}` };
}

/** For programs. Members and names are part of the interface of the command. */
export const asJson = (url: URL, findings: readonly Finding[]): object => ({
  url: url.href,
  ...conclude(findings),
  steps: findings.map(({ step, issuer, outcome, says, fix, responsible }) => ({
    step,
    issuer,
    outcome,
    says,
    fix,
    responsible,
  })),
});
