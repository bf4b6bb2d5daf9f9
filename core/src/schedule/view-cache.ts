import { ClassView, viewBytes, type ViewParts } from './class-view.js';
import type { SchedulingClass } from './pod-class.js';
import { preferencesOf } from './score-source.js';

const scoreRetryMs = 1000;
const viewsMin = 8;

/** Views of the most recently used classes, as many as fit into `bytesMax`. */
export class ViewCache {
  readonly #views = new Map<SchedulingClass, { readonly view: ClassView; retryScoresAtMs: number | undefined }>();
  readonly #parts: ViewParts;
  readonly #viewsMax: number;
  readonly #nowMs: () => number;

  constructor(parts: ViewParts, bytesMax: number, nowMs: () => number) {
    this.#parts = parts;
    this.#nowMs = nowMs;
    this.#viewsMax = Math.max(viewsMin, Math.floor(bytesMax / viewBytes(parts.table.capacity, parts.scores.length + 2)));
  }

  get size(): number {
    return this.#views.size;
  }

  /** Returns the up-to-date view of a class. @throws TAP_SCHEDULE_FILTER_FAILED */
  caughtUp(cls: SchedulingClass): ClassView {
    const { view } = this.#entry(cls);
    view.catchUp();
    return view;
  }

  #entry(cls: SchedulingClass): { readonly view: ClassView } {
    const known = this.#views.get(cls);
    this.#views.delete(cls);
    const usable = known !== undefined && !this.#scoresDue(known);
    const entry = usable ? known : { view: this.#make(cls), retryScoresAtMs: undefined };
    this.#views.set(cls, entry);
    if (this.#views.size > this.#viewsMax)
      for (const oldest of this.#views.keys()) {
        this.#views.delete(oldest);
        break;
      }
    return entry;
  }

  #make(cls: SchedulingClass): ClassView {
    return new ClassView(cls, { ...this.#parts, scores: [...this.#parts.scores, ...preferencesOf(cls, this.#parts.table)] });
  }

  /** Whether failed scores are due for another attempt over all nodes. */
  #scoresDue(entry: { readonly view: ClassView; retryScoresAtMs: number | undefined }): boolean {
    if (!entry.view.scores.failed) return false;
    entry.retryScoresAtMs ??= this.#nowMs() + scoreRetryMs;
    return this.#nowMs() >= entry.retryScoresAtMs;
  }
}
