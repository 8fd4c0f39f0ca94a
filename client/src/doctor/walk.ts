/** Owns the run through all steps: each gets what the earlier ones have learned. */
import { type Known, notTried, type Step, type StepDependencies, type Verdict } from './step.ts';
import { FOUNDATION, STEPS } from './table.ts';

export interface Finding extends Verdict {
  readonly step: string;
}

export interface Walked {
  readonly findings: readonly Finding[];
  readonly known: Known;
}

/** A token can be explained without the server. */
const ALWAYS = 'token';

export async function walk(
  dependencies: StepDependencies,
  given: Known,
  report: (finding: Finding) => void,
): Promise<Walked> {
  const findings: Finding[] = [];
  let known = given;
  let broken: Step | undefined;
  for (const step of STEPS) {
    const verdict =
      broken && step.name !== ALWAYS ? notTried(`${broken.name} failed`) : await step.run(dependencies, known);
    known = { ...known, ...verdict.learned };
    if (verdict.outcome === 'fault' && FOUNDATION.includes(step)) broken = step;
    const finding = { ...verdict, step: step.name };
    findings.push(finding);
    report(finding);
  }
  return { findings, known };
}
