import type { ObjectBody } from './object-reader.js';
import { firstMax } from './schema/cost-hints.js';

/** Keeps only the newest children of each parent, up to the maximum of a page, so memory does not grow with the number of children. */
export class NewestChildren {
  readonly #byParent = new Map<string, ObjectBody[]>();

  add(parent: string, child: ObjectBody): void {
    const known = this.#byParent.get(parent) ?? [];
    known.push(child);
    // Sorting at twice the limit amortizes its cost.
    this.#byParent.set(parent, known.length < 2 * firstMax ? known : newest(known));
  }

  /** Returns the newest first. */
  of(parent: string): readonly ObjectBody[] {
    return newest(this.#byParent.get(parent) ?? []);
  }
}

function newest(objects: readonly ObjectBody[]): ObjectBody[] {
  return objects.toSorted(newestFirst).slice(0, firstMax);
}

function newestFirst({ metadata: one }: ObjectBody, { metadata: other }: ObjectBody): number {
  const [left = '', right = ''] = [one.creationTimestamp, other.creationTimestamp];
  return left === right ? byNumber(other.name, one.name) : left < right ? 1 : -1;
}

const collator = new Intl.Collator('en', { numeric: true });

function byNumber(one: string, other: string): number {
  return collator.compare(one, other);
}
