/** One resource over all nodes. `free` is `allocatable - requested`, kept up to date so that it can be read without arithmetic. */
export interface ResourceColumns {
  readonly resource: string;
  readonly allocatable: Float64Array;
  readonly requested: Float64Array;
  readonly free: Float64Array;
}

/** Interned resources: one set of columns a name, as long as there is room. */
export class ResourceIndex {
  readonly #columns = new Map<string, { resource: string; allocatable: Float64Array; requested: Float64Array; free: Float64Array }>();
  readonly #resourcesMax: number;
  #capacity: number;

  constructor(capacity: number, resourcesMax: number) {
    this.#capacity = capacity;
    this.#resourcesMax = resourcesMax;
  }

  /** How many resources are known; it only grows. */
  get size(): number {
    return this.#columns.size;
  }

  known(resource: string): ResourceColumns | undefined {
    return this.#columns.get(resource);
  }

  /**
   * The columns of a resource, made at the first question.
   *
   * Nothing when `resourcesMax` names are known: such a resource counts as absent from every node, so whoever requests it fits nowhere.
   */
  intern(resource: string): ResourceColumns | undefined {
    const known = this.#columns.get(resource);
    if (known !== undefined || this.#columns.size >= this.#resourcesMax) return known;
    const zeros = () => new Float64Array(this.#capacity);
    const made = { resource, allocatable: zeros(), requested: zeros(), free: zeros() };
    this.#columns.set(resource, made);
    return made;
  }

  all(): Iterable<ResourceColumns> {
    return this.#columns.values();
  }

  grow(capacity: number): void {
    this.#capacity = capacity;
    for (const columns of this.#columns.values()) {
      columns.allocatable = grownFloats(columns.allocatable, capacity);
      columns.requested = grownFloats(columns.requested, capacity);
      columns.free = grownFloats(columns.free, capacity);
    }
  }
}

/** A longer copy, zero where there was nothing. */
export function grownFloats(values: Float64Array, capacity: number): Float64Array {
  const larger = new Float64Array(capacity);
  larger.set(values);
  return larger;
}
