import type { Rate } from './token-bucket.js';

/** One policy of the `RateLimit-Policy` header; the text is made again only when the rate has changed. */
export class PolicyText {
  readonly #what: string;
  #perSecond = Number.NaN;
  #burst = Number.NaN;
  #text = '';

  constructor(what: string) {
    this.#what = what;
  }

  of({ perSecond, burst }: Rate): string {
    if (perSecond !== this.#perSecond || burst !== this.#burst) {
      [this.#perSecond, this.#burst] = [perSecond, burst];
      this.#text = `"${this.#what}";q=${burst};w=${Math.ceil(burst / perSecond)}`;
    }
    return this.#text;
  }
}
