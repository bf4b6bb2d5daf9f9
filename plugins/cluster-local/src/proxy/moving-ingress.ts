/** Serves one port until the signal aborts, then drains it. `onProblem` is told why it is not served, and with nothing once it is. */
export type ServePort = (port: number, signal: AbortSignal, onProblem: (problem: string | undefined) => void) => Promise<void>;

export interface MovingIngressOptions {
  readonly serve: ServePort;
  /** Why the port that is wished for is not served; nothing once it is. */
  readonly onProblem: (problem: string | undefined) => void;
  /** Told of each port once it is served. */
  readonly onServed: (port: number) => void;
}

interface Door {
  readonly port: number;
  readonly closing: AbortController;
}

/** The port for Ingress hosts. It moves without refusing anybody: the port before goes on until the new one is served, then it drains. */
export class MovingIngress {
  readonly #options: MovingIngressOptions;
  readonly #doors = new Set<Promise<void>>();
  #open: Door | undefined;
  #opening: Door | undefined;

  constructor(options: MovingIngressOptions) {
    this.#options = options;
  }

  /** The port that is wished for. */
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

  /** Drains what is open; resolves when nobody is served any more. */
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
