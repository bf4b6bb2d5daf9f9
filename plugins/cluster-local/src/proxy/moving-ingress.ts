/**
 * Serves one port until the signal aborts, then drains it. `onProblem` gets the reason while it is not served, and undefined once it is.
 */
export type ServePort = (port: number, signal: AbortSignal, onProblem: (problem: string | undefined) => void) => Promise<void>;

export interface MovingIngressOptions {
  readonly serve: ServePort;
  /** Called with the reason while the requested port is not served, and with undefined once it is. */
  readonly onProblem: (problem: string | undefined) => void;
  /** Called with each port once it is served. */
  readonly onServed: (port: number) => void;
}

interface Door {
  readonly port: number;
  readonly closing: AbortController;
}

/**
 * The port for Ingress hosts. It can change without refusing connections: the previous port is served until the new one is, and then
 * drains.
 */
export class MovingIngress {
  readonly #options: MovingIngressOptions;
  readonly #doors = new Set<Promise<void>>();
  #open: Door | undefined;
  #opening: Door | undefined;

  constructor(options: MovingIngressOptions) {
    this.#options = options;
  }

  /** The requested port. */
  get port(): number | undefined {
    return (this.#opening ?? this.#open)?.port;
  }

  /** The port that is served now. */
  get servedPort(): number | undefined {
    return this.#open?.port;
  }

  moveTo(port: number): void {
    if (port === this.port) return;
    this.#opening?.closing.abort();
    this.#opening = undefined;
    if (port === this.#open?.port) return this.#options.onProblem(undefined);
    const door = { port, closing: new AbortController() };
    this.#opening = door;
    const served = this.#options.serve(port, door.closing.signal, (problem) => {
      if (door.closing.signal.aborted) return;
      this.#options.onProblem(problem);
      if (problem === undefined) this.#enter(door);
    });
    this.#doors.add(served);
    void served.finally(() => this.#doors.delete(served));
  }

  /** Drains all ports; resolves when no connection is left. */
  async close(): Promise<void> {
    for (const door of [this.#opening, this.#open]) door?.closing.abort();
    await Promise.all(this.#doors);
  }

  #enter(door: Door): void {
    if (this.#opening !== door) return;
    this.#open?.closing.abort();
    this.#open = door;
    this.#opening = undefined;
    this.#options.onServed(door.port);
  }
}
