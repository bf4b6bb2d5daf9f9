import { rowText, type EventForm, type EventRow } from './event-text.js';

/** Events in chain order, encoded as numbers, bytes and a few texts so that they can be transferred to another thread. */
export interface BatchedEvents {
  /** The distinct forms, each as head, middle and tail in turn. */
  readonly forms: readonly string[];
  /** The complete JSON of each event without a form. */
  readonly texts: readonly string[];
  /** `numbersPerEvent` numbers for each event, see `EventBatch`. */
  readonly numbers: Float64Array<ArrayBuffer>;
  /** The concatenated ids of the events with a form. */
  readonly ids: Uint8Array<ArrayBuffer>;
}

/** Per event: index of the form, or -1; time of the request and time of the event, in milliseconds; length of the id. */
export const numbersPerEvent = 4;

const linesMax = 1_000;
const charsMax = 1024 * 1024;
const overfull = 10;
const usualIdBytes = 24;
const idCharsMax = 256;
const fewest = 64;

/**
 * Events that wait to be chained; adding one costs a request almost nothing. They are stored outside the garbage-collected heap: as objects
 * the collector would find them alive each time, and copy them.
 */
export class EventBatch implements BatchedEvents {
  readonly forms: string[] = [];
  readonly texts: string[] = [];
  readonly #known = new Map<EventForm, number>();
  #numbers = new Float64Array(fewest * numbersPerEvent);
  #ids = new Uint8Array(fewest * usualIdBytes);
  #size = 0;
  #idBytes = 0;
  #chars = 0;

  get size(): number {
    return this.#size;
  }

  get numbers(): Float64Array<ArrayBuffer> {
    return this.#numbers.subarray(0, this.#size * numbersPerEvent);
  }

  get ids(): Uint8Array<ArrayBuffer> {
    return this.#ids.subarray(0, this.#idBytes);
  }

  /** Whether the batch should be sealed now. */
  get isFull(): boolean {
    return this.#size >= linesMax || this.#chars >= charsMax;
  }

  /** Whether further events must wait until the batch is sealed. */
  get isOverfull(): boolean {
    return this.#size >= overfull * linesMax || this.#chars >= overfull * charsMax;
  }

  add(event: EventRow | string): void {
    if (typeof event === 'string') this.#addText(event);
    else if (this.#addId(event.id)) this.#put(this.#indexOf(event.form), event.receivedAtMs, event.atMs, event.id.length);
    else this.#addText(rowText(event));
  }

  /** Returns copies for another thread, so that nothing is lost if it fails. */
  get data(): BatchedEvents {
    const { forms, texts, numbers, ids } = this;
    return { forms, texts, numbers: numbers.slice(), ids: ids.slice() };
  }

  #addText(text: string): void {
    this.texts.push(text);
    this.#chars += text.length;
    this.#put(-1, 0, 0, 0);
  }

  #put(form: number, receivedAtMs: number, atMs: number, idBytes: number): void {
    const at = this.#size * numbersPerEvent;
    if (at === this.#numbers.length) this.#numbers = larger(this.#numbers, new Float64Array(2 * at));
    this.#numbers[at] = form;
    this.#numbers[at + 1] = receivedAtMs;
    this.#numbers[at + 2] = atMs;
    this.#numbers[at + 3] = idBytes;
    this.#size += 1;
  }

  /** Adds an id; returns false if it would need escaping in JSON, which ids made by the API never do. */
  #addId(id: string): boolean {
    const { length } = id;
    if (length > idCharsMax) return false;
    if (this.#idBytes + length > this.#ids.length) this.#ids = larger(this.#ids, new Uint8Array(2 * this.#ids.length + length));
    for (let index = 0; index < length; index += 1) {
      const code = id.charCodeAt(index);
      if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return false;
      this.#ids[this.#idBytes + index] = code;
    }
    this.#idBytes += length;
    this.#chars += length;
    return true;
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

function larger<T extends Float64Array | Uint8Array>(full: T, empty: T): T {
  empty.set(full);
  return empty;
}
