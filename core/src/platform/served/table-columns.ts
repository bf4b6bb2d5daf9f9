import type { Clock } from '@tappaas/sdk';
import type { TableFor } from '../../api/contributions.js';
import type { ServedKind } from '../../ports/engine.js';
import { declaredColumns, type TableColumn } from '../../resources/table/table-column.js';
import { kubernetesColumns } from '../../resources/table/kubernetes-columns.js';
import { tableOf } from '../../resources/table/table.js';

/** Makes tables as kubectl shows them: Kubernetes' own columns for its kinds, and the declared columns between name and age for others. */
export function tableColumns(clock: Pick<Clock, 'nowMs'>): TableFor {
  const known = new WeakMap<ServedKind, readonly TableColumn[]>();
  return (kind, objects) => {
    const columns = known.get(kind) ?? kubernetesColumns(kind) ?? declaredColumns(kind.columns);
    known.set(kind, columns);
    return tableOf(columns, objects, clock.nowMs());
  };
}
