/** Owns the run through all steps: each gets what the earlier ones have learned. Those about an issuer are run for each that there is. */
import { type Authority, fault, type Known, notTried, type Step, type StepDependencies, type Verdict } from './step.ts';
import { AT_ISSUER, FOUNDATION, STEPS } from './table.ts';

export interface Finding extends Verdict {
  readonly step: string;
  /** Which issuer is meant, if the server names several. */
  readonly issuer?: string;
}

export interface Walked {
  readonly findings: readonly Finding[];
  readonly known: Known;
}

type Report = (finding: Finding) => void;

/** A token can be explained without the server. */
const ALWAYS = 'token';

/** The step that waits for a person. */
const OF_PERSON = 'sign-in';

/** @param limit milliseconds for all steps together, without the one that waits for a person */
export async function walk(
  dependencies: StepDependencies,
  given: Known,
  limit: number,
  report: Report,
): Promise<Walked> {
  const { now } = dependencies;
  let begun = now();
  const findings: Finding[] = [];
  const found: Report = (finding) => {
    findings.push(finding);
    report(finding);
  };
  let known = given;
  let broken: Step | undefined;
  for (const step of STEPS) {
    if (!broken && step.name !== ALWAYS && now() - begun > limit) {
      broken = step;
      found({ ...slow(now() - begun), step: step.name });
      continue;
    }
    if (!broken && AT_ISSUER.includes(step)) {
      if (step === AT_ISSUER[0]) known = { ...known, ...(await examineIssuers(dependencies, known, found)) };
      continue;
    }
    const before = now();
    const verdict =
      broken && step.name !== ALWAYS ? notTried(`${broken.name} failed`) : await step.run(dependencies, known);
    if (step.name === OF_PERSON) begun += now() - before;
    known = { ...known, ...verdict.learned };
    if (verdict.outcome === 'fault' && FOUNDATION.includes(step)) broken = step;
    found({ ...verdict, step: step.name });
  }
  return { findings, known };
}

const slow = (spent: number): Verdict =>
  fault(
    'mcp-server',
    `The answers so far have taken ${Math.round(spent / 1000)} s together, so the run ends here.`,
    'Find out what makes the servers slow, or raise --timeout.',
  );

/** @returns what is known of each issuer, and the one that is used: the wanted one, or the first without a fault */
async function examineIssuers(dependencies: StepDependencies, known: Known, report: Report): Promise<Partial<Known>> {
  const issuers: readonly (string | undefined)[] = known.issuers ?? [undefined];
  const authorities: (Authority & { readonly faults: number })[] = [];
  for (const issuer of issuers) {
    let own: Known = { ...known, issuer };
    let faults = 0;
    for (const step of AT_ISSUER) {
      const verdict = await step.run(dependencies, own);
      own = { ...own, ...verdict.learned };
      if (verdict.outcome === 'fault') faults += 1;
      report({ ...verdict, step: step.name, ...(issuers.length > 1 && issuer !== undefined && { issuer }) });
    }
    authorities.push({ issuer, server: own.server, keys: own.keys, faults });
  }
  const used =
    authorities.find(({ issuer }) => issuer !== undefined && issuer === known.wanted) ??
    authorities.find(({ faults }) => faults === 0) ??
    authorities.find(({ server }) => server) ??
    authorities[0];
  return { authorities, issuer: used?.issuer, server: used?.server, keys: used?.keys };
}
