import type { RetryOn } from '@tappaas/sdk';
import type { ColumnSource } from './columns.js';
import type { NodeTable } from './node-table.js';
import { nodeSelectionOf } from './node-selection.js';
import type { SchedulingClass } from './pod-class.js';
import { tolerationCheck } from './toleration.js';

/**
 * A built-in check of one class against one node, for conditions that no number per node can express: names, labels, taints, ports.
 *
 * Evaluated like a pure filter: for all nodes once per class, then for those that changed.
 */
export interface ClassMask {
  readonly name: string;
  /** Depends on the pods of a node too, not only on the node. */
  readonly dynamic: boolean;
  readonly retryOn: readonly RetryOn[];
  /** Returns why the class may not go to the node in `slot`; undefined if it may. */
  reject(slot: number): string | undefined;
}

/** Returns the masks that apply to a class, in order of evaluation. */
export function masksOf(cls: SchedulingClass, table: NodeTable, columns: readonly ColumnSource[]): readonly ClassMask[] {
  return [selectionMask(cls, table), taintMask(cls, table), columnMask(columns), hostPortMask(cls, table)].flatMap((mask) => mask ?? []);
}

const nodeEvents = ['node-added', 'node-changed'] as const;

function selectionMask({ pod }: SchedulingClass, table: NodeTable): ClassMask | undefined {
  const matches = nodeSelectionOf(pod.spec);
  return (
    matches && {
      name: 'kernel.node-affinity',
      dynamic: false,
      retryOn: nodeEvents,
      reject(slot) {
        const facts = table.facts(slot);
        return facts !== undefined && matches(facts) ? undefined : 'the node does not match the node selector or affinity of the pod';
      },
    }
  );
}

function taintMask({ pod }: SchedulingClass, table: NodeTable): ClassMask {
  const check = tolerationCheck(pod.spec.tolerations ?? []);
  return {
    name: 'kernel.taints',
    dynamic: false,
    retryOn: nodeEvents,
    reject(slot) {
      const facts = table.facts(slot);
      return facts && check(facts);
    },
  };
}

function columnMask(columns: readonly ColumnSource[]): ClassMask | undefined {
  const computed = columns.filter(({ plugin }) => plugin !== undefined);
  return computed.length === 0
    ? undefined
    : {
        name: 'kernel.columns',
        dynamic: false,
        retryOn: ['node-added', 'node-changed', 'column-changed'],
        reject(slot) {
          const missing = computed.find((column) => Number.isNaN(column.values()[slot] ?? Number.NaN));
          return missing && `column "${missing.name}" of plugin "${missing.plugin}" has no value for the node`;
        },
      };
}

function hostPortMask({ hostPorts }: SchedulingClass, table: NodeTable): ClassMask | undefined {
  return hostPorts.length === 0
    ? undefined
    : {
        name: 'kernel.host-ports',
        dynamic: true,
        retryOn: ['node-added', 'pod-deleted'],
        reject(slot) {
          const taken = table.hostPorts.conflict(slot, hostPorts);
          return taken && `host port ${taken.protocol} ${taken.port} is taken`;
        },
      };
}
