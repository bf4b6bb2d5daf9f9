/**
 * Shares one question among concurrent callers. A caller that arrives while a question is in flight waits for the next one, because the
 * answer in flight may predate the call.
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
