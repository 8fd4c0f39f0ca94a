/**
 * Owns `npm run conformance`: the official runner against both services, a table of results, and an exit code that says
 * whether the required count was reached.
 */
import { parseArgs } from 'node:util';
import { judge, SUITES, type Verdict } from './runner.ts';
import { startTarget } from './target.ts';

const { values } = parseArgs({
  options: {
    replicas: { type: 'string', default: '1' },
    /** Runs only one of the suites. */
    suite: { type: 'string' },
    /** Also prints the output of the runner and the server. */
    verbose: { type: 'boolean', default: false },
  },
});

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

await using target = await startTarget(Number(values.replicas));
const verdicts: (readonly [name: string, Verdict])[] = [];
for (const suite of SUITES.filter(({ name }) => (values.suite ?? name) === name)) {
  const verdict = await judge(target.url, suite);
  verdicts.push([suite.name, verdict]);
  if (values.verbose) say(verdict.output);
  say(`${suite.name}: ${verdict.passed} passed, ${verdict.failed} failed, exit code ${verdict.code}`);
  for (const remark of verdict.remarks) say(`  ${remark}`);
}
if (values.verbose) say(target.output());
say(`\n| ${values.replicas} replica(s) | passed | failed | exit code | bar reached |`);
say('| --- | ---: | ---: | ---: | --- |');
for (const [name, { passed, failed, code, reached }] of verdicts) {
  say(`| ${name} | ${passed} | ${failed} | ${code} | ${reached ? 'yes' : 'no'} |`);
}
process.exitCode = verdicts.length > 0 && verdicts.every(([, { reached }]) => reached) ? 0 : 1;
