import { TapError } from '@tappaas/sdk';
import { configExitCode, lifecycleErrors } from '../errors.js';
import { formatProblem, sortedProblems, type Problem } from '../problem.js';

/** A configuration that cannot run: all problems with their remedies, and the exit code (EX_CONFIG). */
export class ConfigurationError extends TapError {
  readonly problems: readonly Problem[];
  readonly exitCode = configExitCode;

  constructor(problems: readonly Problem[]) {
    const sorted = sortedProblems(problems);
    const { code, spec } = lifecycleErrors.TAP_CONFIG_INVALID({ message: '' });
    const remedies = new Set(sorted.map(({ remedy }) => remedy ?? spec.remedy));
    super(code, { ...spec, remedy: [...remedies].join('\n  ') }, { message: sorted.map(formatProblem).join('\n') });
    this.problems = sorted;
  }
}

export const errorsOf = (problems: readonly Problem[]): readonly Problem[] => problems.filter(({ severity }) => severity === 'error');
