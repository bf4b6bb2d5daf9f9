/**
 * Asks one question at a time for everybody: who comes while an answer is under way waits for the next one, since that answer may
 * have been found before they came.
 */
export class Coalesced<T> {
  readonly #question: () => Promise<T>;
  #running: Promise<T> | undefined;
  #next: Promise<T> | undefined;

  constructor(question: () => Promise<T>) {
    this.#question = question;
  }

  ask(): Promise<T> {
    if (this.#running === undefined) return this.#run();
    this.#next ??= this.#running.then(
      () => this.#run(),
      () => this.#run(),
    );
    return this.#next;
  }

  #run(): Promise<T> {
    const running = this.#question();
    this.#running = running;
    this.#next = undefined;
    const over = (): void => {
      if (this.#running === running && this.#next === undefined) this.#running = undefined;
    };
    running.then(over, over);
    return running;
  }
}
