/** Exponential back-off up to a limit, with jitter so that many clients do not retry at the same time. */
export class RetryDelay {
  readonly #firstMs: number;
  readonly #mostMs: number;
  readonly #random: () => number;
  #tries = 0;

  constructor(firstMs: number, mostMs: number, random: () => number) {
    this.#firstMs = firstMs;
    this.#mostMs = mostMs;
    this.#random = random;
  }

  next(): number {
    const delay = Math.min(this.#firstMs * 2 ** Math.min(this.#tries, 30), this.#mostMs);
    this.#tries += 1;
    return Math.ceil(delay * (0.5 + this.#random() / 2));
  }

  reset(): void {
    this.#tries = 0;
  }
}
