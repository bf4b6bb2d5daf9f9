import type { Clock, Container, Immutable, Probe } from '@tappaas/sdk';
import { hostPortKey } from '../../annotations.js';
import { listeningPorts } from '../process/table.js';
import type { ContainerHealth } from './pod-status.js';
import { checkProbe, checkTcp, type Beside, type Finding } from './probe-check.js';
import { runProbe } from './probe-runner.js';

export interface ContainerProbesOptions {
  readonly container: Immutable<Container>;
  readonly hostPorts: Readonly<Record<string, number>>;
  readonly beside: Beside;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly groupId: number;
  readonly onHealth: (health: ContainerHealth) => void;
  /** Called when the container must be restarted, with the reason. */
  readonly onUnhealthy: (message: string) => void;
}

/**
 * The probes of one running container.
 *
 * Liveness and readiness probes start once the startup probe has succeeded. Without a readiness probe, a container that declares TCP ports
 * is ready once all of them accept connections: otherwise a process that ignores its assigned ports would get traffic that never reaches
 * it.
 */
export class ContainerProbes {
  readonly #options: ContainerProbesOptions;
  #health: ContainerHealth;

  constructor(options: ContainerProbesOptions) {
    this.#options = options;
    const { startupProbe } = options.container;
    this.#health = { started: startupProbe === undefined, ready: startupProbe === undefined && !this.#isRequested() };
  }

  get health(): ContainerHealth {
    return this.#health;
  }

  start(): void {
    const { startupProbe } = this.#options.container;
    if (startupProbe === undefined) return this.#begin();
    this.#run(startupProbe, true, (healthy, message) => {
      if (!healthy) return this.#options.onUnhealthy(`startup probe failed: ${message}`);
      this.#set({ started: true, ready: !this.#isRequested() });
      this.#begin();
    });
  }

  #isRequested(): boolean {
    return this.#options.container.readinessProbe !== undefined || this.#ports().length > 0;
  }

  #begin(): void {
    const { livenessProbe, readinessProbe } = this.#options.container;
    if (livenessProbe) {
      this.#run(livenessProbe, false, (healthy, message) => {
        if (!healthy) this.#options.onUnhealthy(`liveness probe failed: ${message}`);
      });
    }
    if (readinessProbe)
      this.#run(readinessProbe, false, (healthy, message) => void this.#judge(healthy, `readiness probe failed: ${message}`));
    else if (this.#ports().length > 0) this.#awaitPorts();
  }

  #awaitPorts(): void {
    const { clock, signal } = this.#options;
    const check = async (): Promise<Finding> => {
      for (const port of this.#ports()) {
        const finding = await checkTcp('127.0.0.1', port, 1000, signal);
        if (!finding.healthy) return finding;
      }
      return { healthy: true, message: 'all ports accept' };
    };
    const onVerdict = (healthy: boolean, message: string) => void this.#judge(healthy, message);
    void runProbe({ probe: { periodSeconds: 1, failureThreshold: 2 }, clock, signal, check, onVerdict, once: true });
  }

  #run(probe: Immutable<Probe>, once: boolean, onVerdict: (healthy: boolean, message: string) => void): void {
    const { container, hostPorts, beside, clock, signal } = this.#options;
    const check = () => checkProbe(probe, container, hostPorts, beside, signal);
    void runProbe({ probe, clock, signal, check, onVerdict, once });
  }

  async #judge(healthy: boolean, message: string): Promise<void> {
    if (healthy) return this.#set({ started: true, ready: true });
    const elsewhere = await this.#elsewhere();
    if (this.#options.signal.aborted) return;
    this.#set({
      started: true,
      ready: false,
      reason: elsewhere === undefined ? 'ContainersNotReady' : 'PortNotListening',
      message: `container ${this.#options.container.name}: ${elsewhere ?? message}`,
    });
  }

  /** Describes the mismatch when the process listens on other ports than those assigned. */
  async #elsewhere(): Promise<string | undefined> {
    const listening = await listeningPorts(this.#options.groupId);
    const missing = this.#ports().filter((port) => !listening.includes(port));
    const others = listening.filter((port) => !this.#ports().includes(port));
    if (missing.length === 0 || others.length === 0) return undefined;
    return (
      `listens on ${others.join(', ')} instead of ${missing.join(', ')}: pods here are processes without a network of their own, ` +
      'so each port is given to them as PORT and PORT_<NAME>; let the program listen there'
    );
  }

  #ports(): readonly number[] {
    const { container, hostPorts } = this.#options;
    const declared = (container.ports ?? []).filter(({ protocol }) => (protocol ?? 'TCP') === 'TCP');
    return declared.flatMap((port) => hostPorts[hostPortKey(container.name, port)] ?? []);
  }

  #set(health: ContainerHealth): void {
    const { started, ready, message } = this.#health;
    if (started === health.started && ready === health.ready && message === health.message) return;
    this.#health = health;
    this.#options.onHealth(health);
  }
}
