import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';
import { CliError } from '../cli-error.js';
import { exitCodes, type Invocation } from '../command.js';
import { print } from '../print.js';

/** What the package of policies offers to those who have no platform at hand. */
interface PolicyTester {
  testPolicies(
    policies: readonly unknown[],
    expectations: readonly unknown[],
  ): readonly { readonly name: string; readonly problem?: string }[];
}

interface Expectations {
  readonly policies: readonly string[];
  readonly tests: readonly unknown[];
}

const tester = '@tappaas/access-abac/policy-test';

/** `tappaas policy test FILE`: decides without a platform, and compares with what the file expects. */
export async function policy(invocation: Invocation): Promise<number> {
  const [verb, file = ''] = invocation.positionals;
  if (verb !== 'test')
    throw new CliError(`there is no policy ${verb ?? ''}`, { remedy: 'Write tappaas policy test FILE.', exitCode: exitCodes.usage });
  const { cwd } = invocation.terminal;
  const path = resolve(cwd, file);
  const { policies, tests } = expectationsIn(await textOf(path), file);
  const texts = await Promise.all(policies.map((each) => textOf(join(dirname(path), each))));
  const manifests = texts.flatMap((text) => parseAllDocuments(text).map((document) => document.toJS() as unknown)).filter(isPolicy);
  const found = await loadTester(cwd);
  const results = await asked(() => found.testPolicies(manifests, tests));
  const failed = results.filter(({ problem }) => problem !== undefined);
  const lines = results.map(({ name, problem }) => (problem === undefined ? `ok    ${name}\n` : `FAIL  ${name}: ${problem}\n`));
  await print(invocation, { results }, () => `${lines.join('')}${results.length - failed.length} passed, ${failed.length} failed\n`);
  return failed.length === 0 ? exitCodes.ok : exitCodes.failed;
}

/** The package beside the caller's configuration decides, so that a test says what the platform there would. */
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

async function asked<T>(run: () => T): Promise<T> {
  try {
    return run();
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new CliError(cause.message, { remedy: 'Correct the policies that are named.', exitCode: exitCodes.failed, cause });
  }
}

async function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new CliError(`${path} cannot be read`, { remedy: 'Name a file that is there.', exitCode: exitCodes.usage, cause });
  });
}

function expectationsIn(text: string, file: string): Expectations {
  const found = parse(text) as Partial<Expectations> | null;
  if (Array.isArray(found?.policies) && Array.isArray(found.tests)) return { policies: found.policies, tests: found.tests };
  throw new CliError(`${file}: expected two lists, "policies" (files) and "tests"`, {
    remedy: 'docs/operators/access.md shows one.',
    exitCode: exitCodes.usage,
  });
}

const isPolicy = (value: unknown): boolean => (value as { readonly kind?: unknown } | null)?.kind === 'Policy';
