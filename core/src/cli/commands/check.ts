import { checkConfiguration } from '../../kernel/configuration-report.js';
import { formatProblem } from '../../kernel/problem.js';
import { exitCodes, type Invocation } from '../command.js';
import { print } from '../print.js';
import { reportOptions } from '../report-options.js';

/** `tappaas check`: reports all problems at once, offline; exits with 78 if there is an error. */
export async function check(invocation: Invocation): Promise<number> {
  const report = await checkConfiguration(await reportOptions(invocation));
  const errors = report.problems.filter(({ severity }) => severity === 'error');
  await print(
    invocation,
    {
      problems: report.problems,
      instances: report.instances.map(({ id, manifest }) => ({ id, package: manifest.package, version: manifest.version })),
      order: report.order,
    },
    () => {
      const lines = report.problems.map(
        (problem) =>
          `${problem.severity === 'note' ? 'note: ' : ''}${formatProblem(problem)}\n${problem.remedy ? `    ${problem.remedy}\n` : ''}`,
      );
      const verdict =
        errors.length === 0
          ? `${report.instances.length} ${report.instances.length === 1 ? 'plugin' : 'plugins'}, no errors.`
          : `${errors.length} ${errors.length === 1 ? 'error' : 'errors'}; nothing was started.`;
      return `${lines.join('')}${verdict}\n`;
    },
  );
  return errors.length === 0 ? exitCodes.ok : exitCodes.configuration;
}
