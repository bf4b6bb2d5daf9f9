/** Records how to undo a batch's changes in memory, newest first; SQLite rolls back the disk. */
export class Journal {
  #undo: (() => void)[] = [];

  record(undo: () => void): void {
    this.#undo.push(undo);
  }

  /** A position for {@link undoTo}. */
  mark(): number {
    return this.#undo.length;
  }

  undoTo(mark: number): void {
    while (this.#undo.length > mark) this.#undo.pop()?.();
  }

  /** Drops the undo steps, since the changes are durable. */
  settle(): void {
    this.#undo = [];
  }
}
