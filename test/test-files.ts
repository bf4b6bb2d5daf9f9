/** The test files of a project: those that it has, and those that ava runs when it is not given any. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';

interface Manifest {
  readonly workspaces?: readonly string[];
  readonly ava?: { readonly files?: readonly string[] };
}

const notSource = ['**/node_modules', '**/dist'];

function manifestOf(project: string): Manifest {
  return JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as Manifest;
}

/** All test files of the project. A package outside its workspaces is another project, which runs its own tests. */
export function existingTestFiles(project: string): readonly string[] {
  const members = new Set(['.', ...globSync(manifestOf(project).workspaces ?? [], { cwd: project })]);
  const packages = globSync('**/package.json', { cwd: project, exclude: notSource }).map((file) => dirname(file));
  const others = packages.filter((folder) => !members.has(folder));
  const files = globSync('**/*.test.{js,ts}', { cwd: project, exclude: notSource });
  return files.filter((file) => !others.some((folder) => file.startsWith(folder + sep))).toSorted();
}

/** The test files that the patterns of its package.json select, which are what `npm test` runs. */
export function selectedTestFiles(project: string): readonly string[] {
  return globSync(manifestOf(project).ava?.files ?? [], { cwd: project }).toSorted();
}
