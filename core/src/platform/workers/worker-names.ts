/** The two process names of worker `seat`, counted from 0: a process that replaces another uses the other name. */
export function workerNames(seat: number): readonly [string, string] {
  return [`w${seat + 1}`, `w${seat + 1}b`];
}

const form = /^w([1-9]\d{0,4})b?$/;

/** Whether `name` is that of a worker whose index is above the present worker count. */
export function isFormerWorker(name: string, workers: number): boolean {
  return Number(form.exec(name)?.[1] ?? 0) > workers;
}
