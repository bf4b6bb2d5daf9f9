import type { Immutable, PodSpec } from '@tappaas/sdk';

/** A node port that a pod requests. */
export interface HostPort {
  readonly protocol: string;
  readonly port: number;
  /** `0.0.0.0` means every address of the node. */
  readonly address: string;
}

const everywhere = '0.0.0.0';

/** Returns the host ports that a pod's containers and sidecars request. */
export function hostPortsOf(spec: Immutable<PodSpec>): readonly HostPort[] {
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  const ports = [...spec.containers, ...sidecars].flatMap((container) => container.ports ?? []);
  return ports
    .filter(({ hostPort }) => hostPort !== undefined && hostPort > 0)
    .map(({ hostPort, hostIP, protocol }) => ({ protocol: protocol ?? 'TCP', port: hostPort ?? 0, address: wildcarded(hostIP) }));
}

/** The host ports in use on each node. */
export class HostPortTable {
  /** By slot, then by protocol and port: the number of pods per address. */
  readonly #taken = new Map<number, Map<string, Map<string, number>>>();

  take(slot: number, ports: readonly HostPort[]): void {
    for (const port of ports) this.#add(slot, port, 1);
  }

  release(slot: number, ports: readonly HostPort[]): void {
    for (const port of ports) this.#add(slot, port, -1);
  }

  /** Returns the first of `ports` that is in use on the node. */
  conflict(slot: number, ports: readonly HostPort[]): HostPort | undefined {
    const taken = this.#taken.get(slot);
    return (
      taken &&
      ports.find((port) => {
        const addresses = taken.get(keyOf(port));
        return addresses !== undefined && (port.address === everywhere || addresses.has(everywhere) || addresses.has(port.address));
      })
    );
  }

  #add(slot: number, port: HostPort, by: number): void {
    const ports = this.#taken.get(slot) ?? new Map<string, Map<string, number>>();
    const addresses = ports.get(keyOf(port)) ?? new Map<string, number>();
    const holders = (addresses.get(port.address) ?? 0) + by;
    if (holders > 0) addresses.set(port.address, holders);
    else addresses.delete(port.address);
    if (addresses.size > 0) ports.set(keyOf(port), addresses);
    else ports.delete(keyOf(port));
    if (ports.size > 0) this.#taken.set(slot, ports);
    else this.#taken.delete(slot);
  }
}

function keyOf({ protocol, port }: HostPort): string {
  return `${protocol}/${port}`;
}

function wildcarded(address: string | undefined): string {
  return address === undefined || address === '' || address === '::' ? everywhere : address;
}
