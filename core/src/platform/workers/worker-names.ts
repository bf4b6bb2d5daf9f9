/** The two names of a worker's seat, counted from 0: a process that replaces another has the other one. */
export function workerNames(seat: number): readonly [string, string] {
  return [`w${seat + 1}`, `w${seat + 1}b`];
}

const form = /^w([1-9]\d{0,4})b?$/;

/** Whether a process of that name was a worker's, of which there are so many now that none can be called so. */
export function isGoneWorker(name: string, workers: number): boolean {
  return Number(form.exec(name)?.[1] ?? 0) > workers;
}
