import type { Immutable, Node, Pod, RetryOn } from '@tappaas/sdk';
import type { ColumnTable } from './columns.js';
import type { Demand } from './footprint.js';
import { hostPortsOf } from './host-ports.js';
import { Ledger } from './ledger.js';
import { nodeFacts, sameForScheduling } from './node-facts.js';
import { NodeTable } from './node-table.js';
import { podRequests } from './pod-requests.js';

/** The state of the cluster as reported by its watches: nodes, and the pods charged to them. */
export class ClusterView {
  readonly table: NodeTable;
  readonly ledger: Ledger;
  /** Plugin columns of the current hook generation. */
  columns: ColumnTable | undefined;
  readonly #happened: (event: RetryOn) => void;
  readonly #invalid: (error: unknown) => void;

  constructor(options: { readonly resourcesMax: number; happened: (event: RetryOn) => void; invalid: (error: unknown) => void }) {
    this.table = new NodeTable({ resourcesMax: options.resourcesMax });
    this.ledger = new Ledger(this.table);
    this.#happened = options.happened;
    this.#invalid = options.invalid;
  }

  nodeChanged(node: Immutable<Node>): void {
    const { table } = this;
    const facts = nodeFacts(node, this.#invalid);
    const slot = table.slotOf(facts.name);
    const known = slot === undefined ? undefined : table.facts(slot);
    if (slot !== undefined && known !== undefined && sameForScheduling(known, facts)) {
      table.refreshNode(slot, facts);
      if (this.columns?.nodeChanged(slot) !== true) return;
      table.touchNode(slot);
      this.#happened('column-changed');
      return;
    }
    const resources = table.resources;
    const taken = table.setNode(facts);
    this.columns?.nodeChanged(taken);
    if (table.resources > resources) this.ledger.resolveAgain();
    this.#happened(known === undefined ? 'node-added' : 'node-changed');
  }

  nodeDeleted(name: string): void {
    this.table.removeNode(name);
  }

  columnChanged(plugin: string, name: string): void {
    if (this.columns?.columnChanged(plugin, name) === true) this.#happened('column-changed');
  }

  /** Recomputes failed column values; returns whether any still fail. */
  retryColumns(): boolean {
    if (this.columns?.hasFailed !== true) return false;
    if (this.columns.retryFailed()) this.#happened('column-changed');
    return this.columns.hasFailed;
  }

  /** The cluster shows a pod on a node: charges it there and nowhere else. */
  podPlaced(pod: Immutable<Pod>, node: string): void {
    const charge = this.ledger.get(pod.metadata.uid ?? '');
    const demand = this.#demandOf(pod);
    const moved = charge !== undefined && this.table.nameOf(charge.slot) !== node;
    if (charge !== undefined && !moved && sameDemand(charge, demand)) this.ledger.confirm(charge, pod);
    else {
      this.ledger.charge(pod, node, demand, false);
      if (charge !== undefined) this.#happened('pod-deleted');
    }
  }

  /** A pod no longer holds any resources. */
  podLeft(uid: string): void {
    if (this.ledger.release(uid) !== undefined) this.#happened('pod-deleted');
  }

  /** Returns the demand of a pod. Unreadable amounts are reported and count as zero, since the cluster runs the pod anyway. */
  #demandOf({ spec }: Immutable<Pod>): Demand {
    if (spec === undefined) return { requests: new Map(), hostPorts: [] };
    try {
      return { requests: podRequests(spec), hostPorts: hostPortsOf(spec) };
    } catch (error) {
      this.#invalid(error);
      return { requests: new Map(), hostPorts: hostPortsOf(spec) };
    }
  }
}

function sameDemand(a: Demand, b: Demand): boolean {
  return (
    a.requests.size === b.requests.size &&
    [...a.requests].every(([resource, amount]) => b.requests.get(resource) === amount) &&
    JSON.stringify(a.hostPorts) === JSON.stringify(b.hostPorts)
  );
}
