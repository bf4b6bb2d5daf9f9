import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { CliError } from './cli-error.js';
import { exitCodes } from './command.js';

/** The input of `tappaas policy test`: Policy manifests, and expectations about them. */
export interface PolicyFiles {
  readonly policies: readonly unknown[];
  readonly tests: readonly unknown[];
}

const apiVersion = 'platform.tappaas.dev/v1alpha1';

/**
 * Reads a file of expectations and the policies that it names, relative to it. Anything that kubectl would refuse to apply, or would apply
 * as another kind, is refused: without it, expectations of NotForbidden would be met trivially.
 *
 * @throws CliError
 */
export async function policyFilesOf(path: string): Promise<PolicyFiles> {
  const { policies: files, tests } = await expectationsIn(path);
  const policies = (await Promise.all(files.map((file) => policiesIn(join(dirname(path), file))))).flat();
  const names = policies.map(({ metadata: { name } }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw refused(`there are two policies called "${twice}"`, 'Rename one of them: the platform would keep one.');
  if (policies.length === 0 && tests.length > 0) {
    throw refused(`${path}: expected policies to test, found none`, 'Name their files in the list "policies".');
  }
  return { policies, tests };
}

async function expectationsIn(path: string): Promise<{ readonly policies: readonly string[]; readonly tests: readonly unknown[] }> {
  const [document, ...more] = await documentsIn(path);
  const { policies, tests } = mapOf(document);
  const areFiles = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every((each) => typeof each === 'string');
  if (more.length === 0 && areFiles(policies) && Array.isArray(tests)) return { policies, tests };
  throw refused(`${path}: expected two lists, "policies" (files) and "tests"`, 'docs/operators/access.md shows one.');
}

interface NamedPolicy {
  readonly metadata: { readonly name: string };
}

async function policiesIn(path: string): Promise<readonly NamedPolicy[]> {
  const documents = (await documentsIn(path)).filter((document) => document !== null);
  if (documents.length === 0) throw refused(`${path} holds no Policy`, 'Name files that do.');
  return documents.map((document) => {
    const { apiVersion: version, kind, metadata, ...rest } = mapOf(document);
    if (version !== apiVersion || kind !== 'Policy') {
      throw refused(
        `${path}: expected apiVersion ${apiVersion} and kind Policy, found ${printed(version)} and ${printed(kind)}`,
        'Correct the manifest, or keep what is no Policy in another file.',
      );
    }
    const { name } = mapOf(metadata);
    if (typeof name !== 'string') throw refused(`${path}: expected a name at metadata.name`, 'Give the policy a name.');
    return { ...rest, metadata: { name } };
  });
}

async function documentsIn(path: string): Promise<readonly unknown[]> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new CliError(`${path} cannot be read`, { remedy: 'Name a file that is there.', exitCode: exitCodes.usage, cause });
  });
  const documents = parseAllDocuments(text, { uniqueKeys: true });
  for (const { errors } of documents) {
    if (errors[0] !== undefined) throw refused(`${path}: ${errors[0].message}`, 'Correct the file at that place.');
  }
  return documents.map((document) => document.toJS({ maxAliasCount: 100 }) as unknown);
}

const mapOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {};

const printed = (value: unknown): string => (value === undefined ? 'none' : JSON.stringify(value));

const refused = (message: string, remedy: string): CliError => new CliError(message, { remedy, exitCode: exitCodes.usage });
