import type { HostPort } from './host-ports.js';
import type { NodeTable } from './node-table.js';
import type { Amounts } from './pod-requests.js';
import type { ResourceColumns } from './resource-columns.js';

/** What a pod requests of a node. */
export interface Demand {
  readonly requests: Amounts;
  readonly hostPorts: readonly HostPort[];
}

/** A demand resolved to the table's columns: entry i of `amounts` belongs to entry i of `columns`. */
export interface Footprint {
  readonly columns: readonly ResourceColumns[];
  readonly amounts: readonly number[];
  readonly hostPorts: readonly HostPort[];
  /** A resource that no node has had so far. The pod fits nowhere, and is resolved again when a node introduces new resources. */
  readonly unknownResource?: string;
}

/** Only nodes and taps introduce resources, so that pods with invented names cannot fill the table. */
export function footprintOf(table: NodeTable, { requests, hostPorts }: Demand): Footprint {
  const columns: ResourceColumns[] = [];
  const amounts: number[] = [];
  let unknownResource: string | undefined;
  for (const [resource, amount] of requests) {
    if (amount === 0) continue;
    const column = table.knownResource(resource);
    if (column === undefined) unknownResource ??= resource;
    else {
      columns.push(column);
      amounts.push(amount);
    }
  }
  const footprint = { columns, amounts, hostPorts };
  return unknownResource === undefined ? footprint : { ...footprint, unknownResource };
}
