import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CliError } from '../cli-error.js';
import { exitCodes, type Invocation } from '../command.js';
import { policyFilesOf } from '../policy-files.js';
import { print } from '../print.js';

/** The part of the policy package that works without a platform. */
interface PolicyTester {
  testPolicies(
    policies: readonly unknown[],
    expectations: readonly unknown[],
  ): readonly { readonly name: string; readonly problem?: string }[];
}

const tester = '@tappaas/access-abac/policy-test';

/** `tappaas policy test FILE`: evaluates policies without a platform, and compares the results with the expectations in the file. */
export async function policy(invocation: Invocation): Promise<number> {
  const [verb, file = ''] = invocation.positionals;
  if (verb !== 'test')
    throw new CliError(`there is no policy ${verb ?? ''}`, { remedy: 'Write tappaas policy test FILE.', exitCode: exitCodes.usage });
  const { cwd } = invocation.terminal;
  const { policies, tests } = await policyFilesOf(resolve(cwd, file));
  const found = await loadTester(cwd);
  const results = await cliErrorsOf(() => found.testPolicies(policies, tests));
  const failed = results.filter(({ problem }) => problem !== undefined);
  const lines = results.map(({ name, problem }) => (problem === undefined ? `ok    ${name}\n` : `FAIL  ${name}: ${problem}\n`));
  await print(invocation, { results }, () => `${lines.join('')}${results.length - failed.length} passed, ${failed.length} failed\n`);
  return failed.length === 0 ? exitCodes.ok : exitCodes.failed;
}

/** Loads the package beside the caller's configuration, so that a test gives the same results as the platform there. */
async function loadTester(cwd: string): Promise<PolicyTester> {
  try {
    const found = createRequire(join(cwd, 'package.json')).resolve(tester);
    return (await import(pathToFileURL(found).href)) as PolicyTester;
  } catch (cause) {
    throw new CliError(`${tester} cannot be loaded from ${cwd}`, {
      remedy: 'Install @tappaas/access-abac there: npm install @tappaas/access-abac.',
      exitCode: exitCodes.unavailable,
      cause,
    });
  }
}

async function cliErrorsOf<T>(run: () => T): Promise<T> {
  try {
    return run();
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new CliError(cause.message, { remedy: 'Correct the policies and the tests that are named.', exitCode: exitCodes.failed, cause });
  }
}
