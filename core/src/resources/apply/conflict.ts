import type { Cause } from '../schema/cause.js';
import type { Manager, Managers } from './managed-fields.js';
import type { Conflicts } from './ownership.js';
import { displayPath, type PathElement } from './path-element.js';
import { pathsOf, type PathSet } from './path-set.js';

/** One field that another manager owns and that an apply would change. */
export interface Conflict {
  readonly manager: string;
  readonly path: readonly PathElement[];
}

/** All conflicts of an apply as a `Status` reports them: the message that kubectl prints, and a cause for each field. */
export interface ConflictReport {
  readonly message: string;
  readonly causes: readonly Cause[];
}

/** @param managers the managers of the live object, to name those that conflict. */
export function conflictReport(conflicts: Conflicts, managers: Managers): ConflictReport {
  const list = [...conflicts]
    .map(([key, fields]) => [display(managers.get(key)), fields] as const)
    .sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0))
    .flatMap(([manager, fields]) => conflictsOf(manager, fields));
  const causes = list.map(({ manager, path }): Cause => ({
    reason: 'FieldManagerConflict',
    field: displayPath(path),
    message: `conflict with ${manager}`,
  }));
  return { message: messageOf(list), causes };
}

const conflictsOf = (manager: string, fields: PathSet): readonly Conflict[] => pathsOf(fields).map((path) => ({ manager, path }));

function display(manager: Manager | undefined): string {
  if (manager === undefined) return '"unknown"';
  const part = manager.subresource === undefined ? '' : ` with subresource ${JSON.stringify(manager.subresource)}`;
  return `${JSON.stringify(manager.name)}${part}${manager.operation === 'Update' ? ` using ${manager.apiVersion}` : ''}`;
}

function messageOf(list: readonly Conflict[]): string {
  const [first] = list;
  if (first === undefined) return 'Apply failed with 0 conflicts';
  if (list.length === 1) return `Apply failed with 1 conflict: conflict with ${first.manager}: ${displayPath(first.path)}`;
  const lines = [...new Set(list.map((conflict) => conflict.manager))].flatMap((manager) => [
    `conflicts with ${manager}:`,
    ...list.filter((conflict) => conflict.manager === manager).map((conflict) => `- ${displayPath(conflict.path)}`),
  ]);
  return `Apply failed with ${list.length} conflicts: ${lines.join('\n')}`;
}
