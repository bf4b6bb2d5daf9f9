import type { Awaitable, Clock } from '@tappaas/sdk';

/** The message of an event, with a digest to find out whether it differs from the last one about its object. */
export interface EventText {
  /** An execution result as JSON. */
  readonly text: string;
  readonly digest: string;
  readonly goodFor: Audience;
}

/**
 * Which subscriptions a text may be shared with:
 * - everybody: it depends on the object alone;
 * - present: more data was read for it, so it is shared for presentMsMax with subscriptions that had begun before it was made;
 * - waiting: it contains errors, so it is shared only with subscriptions that already wait for it;
 * - nobody: the subscription that was making it has ended meanwhile, so the text may be incomplete.
 */
export type Audience = 'everybody' | 'present' | 'waiting' | 'nobody';

/** No longer than access may take to be checked again, so data read besides the object is no older than that. */
const presentMsMax = 5000;

/** A text from the moment its making began: how many subscriptions had begun by then, and when. */
interface Making {
  readonly begun: number;
  readonly atMs: number;
  readonly made: Promise<EventText>;
  finished?: EventText;
}

/** The subscription that requests a text, and when. */
interface Asking {
  readonly age: number;
  readonly atMs: number;
}

/** Shares the texts of events between subscriptions. Texts are kept as long as the object that they are about is referenced elsewhere. */
export class EventTexts {
  readonly #clock: Clock;
  readonly #known = new WeakMap<object, Map<string, Making>>();
  #begun = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts a subscription that begins; returns its age, which decides the texts that it may share. */
  begin(): number {
    this.#begun += 1;
    return this.#begun;
  }

  /**
   * Returns the text for a key of a shared object: an existing one that a subscription of this age may share, else the result of `make`.
   * Rejects as `make` does.
   */
  once(shared: object, key: string, age: number, make: () => Promise<EventText>): Awaitable<EventText> {
    const texts = this.#known.get(shared) ?? new Map<string, Making>();
    this.#known.set(shared, texts);
    const making = texts.get(key);
    const asking = { age, atMs: this.#clock.nowMs() };
    // With thousands of subscribers, the text mostly exists already: no promise is needed.
    return making?.finished !== undefined && isFit(making, making.finished, asking)
      ? making.finished
      : this.#awaited(texts, key, asking, make);
  }

  async #awaited(texts: Map<string, Making>, key: string, asking: Asking, make: () => Promise<EventText>): Promise<EventText> {
    let last: Making | undefined;
    for (let making = texts.get(key); making !== undefined && making !== last; making = texts.get(key)) {
      const finished = await making.made;
      if (isFit(making, finished, asking)) return finished;
      last = making;
    }
    return this.#make(texts, key, make);
  }

  async #make(texts: Map<string, Making>, key: string, make: () => Promise<EventText>): Promise<EventText> {
    const making: Making = { begun: this.#begun, atMs: this.#clock.nowMs(), made: make() };
    texts.set(key, making);
    let isCached = false;
    try {
      const finished = await making.made;
      making.finished = finished;
      isCached = finished.goodFor === 'everybody' || finished.goodFor === 'present';
      return finished;
    } finally {
      if (!isCached && texts.get(key) === making) texts.delete(key);
    }
  }
}

/** Age counts up to the request for the text: a text that takes long to make is not too old for a subscription that waits for it. */
function isFit({ begun, atMs }: Making, { goodFor }: EventText, asking: Asking): boolean {
  if (goodFor === 'everybody') return true;
  return goodFor !== 'nobody' && begun >= asking.age && asking.atMs - atMs < presentMsMax;
}
