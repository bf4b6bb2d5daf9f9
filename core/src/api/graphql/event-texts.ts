import type { Awaitable, Clock } from '@tappaas/sdk';

/** An event as it is told, and what tells whether it says anything new of its object. */
export interface EventText {
  /** An execution result as JSON. */
  readonly text: string;
  readonly digest: string;
  readonly goodFor: Audience;
}

/**
 * Who else may be told a text: everybody, when it says only what the object says; those who had begun before it was made, for a while, when
 * more was read for it; of these only who is waiting for it, when that has failed; nobody, when who had it made has left meanwhile.
 */
export type Audience = 'everybody' | 'present' | 'waiting' | 'nobody';

/** As long as access may take to be asked again; what is read besides an object is no older. */
const presentMsMax = 5000;

/** A text since its making began: how many subscriptions had begun, and when. */
interface Making {
  readonly begun: number;
  readonly atMs: number;
  readonly made: Promise<EventText>;
  told?: EventText;
}

/** The subscription that asks, and when. */
interface Asking {
  readonly age: number;
  readonly atMs: number;
}

/** The texts of events: what many are told alike is made once. Kept as long as somebody holds on to the objects that they are about. */
export class EventTexts {
  readonly #clock: Clock;
  readonly #known = new WeakMap<object, Map<string, Making>>();
  #begun = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts a subscription that begins; what it gives says which texts had been begun before. */
  begin(): number {
    this.#begun += 1;
    return this.#begun;
  }

  /**
   * The text under a key of what is shared, made unless there is one that a subscription of this age may be told. Rejects as `make` does.
   */
  once(shared: object, key: string, age: number, make: () => Promise<EventText>): Awaitable<EventText> {
    const texts = this.#known.get(shared) ?? new Map<string, Making>();
    this.#known.set(shared, texts);
    const making = texts.get(key);
    const asking = { age, atMs: this.#clock.nowMs() };
    // What is made already is the common case, with thousands of subscribers.
    return making?.told !== undefined && isFit(making, making.told, asking) ? making.told : this.#awaited(texts, key, asking, make);
  }

  async #awaited(texts: Map<string, Making>, key: string, asking: Asking, make: () => Promise<EventText>): Promise<EventText> {
    let last: Making | undefined;
    for (let making = texts.get(key); making !== undefined && making !== last; making = texts.get(key)) {
      const told = await making.made;
      if (isFit(making, told, asking)) return told;
      last = making;
    }
    return this.#make(texts, key, make);
  }

  async #make(texts: Map<string, Making>, key: string, make: () => Promise<EventText>): Promise<EventText> {
    const making: Making = { begun: this.#begun, atMs: this.#clock.nowMs(), made: make() };
    texts.set(key, making);
    let isKept = false;
    try {
      const told = await making.made;
      making.told = told;
      isKept = told.goodFor === 'everybody' || told.goodFor === 'present';
      return told;
    } finally {
      if (!isKept && texts.get(key) === making) texts.delete(key);
    }
  }
}

/** However long it takes to be made: what somebody waits for since is not too old for them. */
function isFit({ begun, atMs }: Making, { goodFor }: EventText, asking: Asking): boolean {
  if (goodFor === 'everybody') return true;
  return goodFor !== 'nobody' && begun >= asking.age && asking.atMs - atMs < presentMsMax;
}
