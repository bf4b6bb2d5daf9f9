import type { EventForm, EventRow } from './event-text.js';

/** Events in the order of the chain as nothing but texts and numbers, so that another thread can take them over. */
export interface BatchedEvents {
  /** Each form once: head, middle and tail in turn. */
  readonly forms: readonly string[];
  /** Of each event: which form it has, or -1. */
  readonly formOf: readonly number[];
  /** Of each event: its id, or all of its JSON where it has no form. */
  readonly texts: readonly string[];
  /** Of each event: when the request came, and when this was, milliseconds in turn. */
  readonly times: readonly number[];
}

const linesMax = 1_000;
const charsMax = 1024 * 1024;
const overfull = 10;

/** Events that wait for their place in the chain: gathering one costs a request next to nothing. */
export class EventBatch implements BatchedEvents {
  readonly forms: string[] = [];
  readonly formOf: number[] = [];
  readonly texts: string[] = [];
  readonly times: number[] = [];
  readonly #known = new Map<EventForm, number>();
  #chars = 0;

  get size(): number {
    return this.texts.length;
  }

  /** It is time to seal it. */
  get isFull(): boolean {
    return this.size >= linesMax || this.#chars >= charsMax;
  }

  /** Whoever wants to add to it has to wait until it is sealed. */
  get isOverfull(): boolean {
    return this.size >= overfull * linesMax || this.#chars >= overfull * charsMax;
  }

  add(event: EventRow | string): void {
    if (typeof event === 'string') this.#put(-1, event, 0, 0);
    else this.#put(this.#indexOf(event.form), event.id, event.receivedAtMs, event.atMs);
  }

  /** What is handed to another thread. */
  get data(): BatchedEvents {
    const { forms, formOf, texts, times } = this;
    return { forms, formOf, texts, times };
  }

  #put(form: number, text: string, receivedAtMs: number, atMs: number): void {
    this.formOf.push(form);
    this.texts.push(text);
    this.times.push(receivedAtMs, atMs);
    this.#chars += text.length;
  }

  #indexOf(form: EventForm): number {
    const known = this.#known.get(form);
    if (known !== undefined) return known;
    const index = this.#known.size;
    this.#known.set(form, index);
    this.forms.push(form.head, form.middle, form.tail);
    this.#chars += form.head.length + form.middle.length + form.tail.length;
    return index;
  }
}
