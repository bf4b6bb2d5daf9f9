/** How to take back, newest first, what a batch has changed in memory; the disk takes it back by itself. */
export class Journal {
  #undo: (() => void)[] = [];

  record(undo: () => void): void {
    this.#undo.push(undo);
  }

  /** A place to come back to. */
  mark(): number {
    return this.#undo.length;
  }

  undoTo(mark: number): void {
    while (this.#undo.length > mark) this.#undo.pop()?.();
  }

  /** What was recorded is durable now. */
  settle(): void {
    this.#undo = [];
  }
}
