/** Ensures that skipped tests are reported with their reasons, and that a run in CI fails when there are any. */
import type { Reporter, TestModule } from 'vitest/node';

export default class LeftOut implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const skipped = modules.flatMap((module) => [...module.children.allTests('skipped')]);
    if (skipped.length === 0) return;
    const reasons = new Map<string, number>();
    for (const test of skipped) {
      const result = test.result();
      const reason =
        (result.state === 'skipped' && result.note) || `no reason given, in ${test.module.relativeModuleId}`;
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
    const lines = [...reasons].map(([reason, count]) => `  ${count} ${count === 1 ? 'test' : 'tests'}: ${reason}`);
    process.stderr.write(`\nLeft out:\n${lines.join('\n')}\n`);
    if (process.env.CI === 'true') {
      process.stderr.write('Under CI nothing may be left out.\n');
      process.exitCode = 1;
    }
  }
}
