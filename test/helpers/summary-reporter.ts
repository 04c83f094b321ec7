import type { Reporter, TestModule } from 'vitest/node';

/**
 * Ends the run with plain lines that programs can read: `failed: <project> <file> > <test>` for each failure, and
 * `N passed, N failed`. A broken file counts as a failure.
 */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    const failures = errors.map((error) => `outside of all tests: ${messageOf(error)}`);
    for (const module of modules) {
      const where = `${module.project.name} ${module.relativeModuleId}`;
      for (const test of module.children.allTests()) {
        const { state, errors: reasons } = test.result();
        if (state === 'failed') failures.push(`${where} > ${test.fullName}: ${messageOf(reasons[0])}`);
        else count[state] += 1;
      }
      for (const error of module.errors()) failures.push(`${where}: ${messageOf(error)}`);
      for (const suite of module.children.allSuites()) {
        for (const error of suite.errors()) failures.push(`${where} > ${suite.fullName}: ${messageOf(error)}`);
      }
    }
    count.failed = failures.length;
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
    const lines = [
      ...failures.map((failure) => `failed: ${failure}`),
      `${count.passed} passed, ${count.failed} failed`,
    ];
    process.stdout.write(`\n${lines.join('\n')}${skipped}\n`);
  }
}

/** The first line of what was wrong. */
function messageOf(error: unknown): string {
  return String((error as Error | undefined)?.message ?? error).split('\n', 1)[0]!;
}
