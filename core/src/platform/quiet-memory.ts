/** Functions of the process: CPU time, a heap mode, and a periodic call. */
export interface QuietMemoryParts {
  /** Returns the CPU time of the main thread so far. */
  readonly cpuMs: () => number;
  /** Sets whether the heap prefers saving memory to saving CPU time. */
  readonly saveMemory: (isWanted: boolean) => void;
  /** Calls periodically, without keeping the process alive. */
  readonly every: (ms: number, call: () => void) => void;
}

const lookEveryMs = 1_000;
/** Up to this CPU load the platform counts as quiet; its own background work takes about one percent. */
const quietPercentMax = 5;
const quietLooksMin = 3;
/** This much work may have left memory to release. */
const workMsMin = 500;
/** The heap checks every two seconds whether there is something to do, and then needs a second or two. */
const savingLooksMax = 12;
/** Collecting causes load too, so only a much higher load ends it early. */
const busyPercentMin = 50;

/**
 * Makes the heap release memory after work has ended.
 *
 * The heap keeps room for recent allocations, and fragmented pages, until its next collection, which never comes when nothing is allocated
 * any more. So once the main thread has been quiet for 3 s, the heap is told to prefer memory for up to 12 s: it then collects twice in
 * small steps, compacts fragmented pages and releases them. New work ends this within a second.
 */
export function giveMemoryBackWhenQuiet({ cpuMs, saveMemory, every }: QuietMemoryParts): void {
  let seenMs = cpuMs();
  let savedAtMs = 0;
  let quietLooks = 0;
  let savingLooks = 0;
  const save = (isWanted: boolean): void => {
    savingLooks = isWanted ? 1 : 0;
    quietLooks = 0;
    savedAtMs = seenMs;
    saveMemory(isWanted);
  };
  every(lookEveryMs, () => {
    const nowMs = cpuMs();
    const percent = ((nowMs - seenMs) / lookEveryMs) * 100;
    seenMs = nowMs;
    if (savingLooks > 0) {
      if (percent >= busyPercentMin || ++savingLooks > savingLooksMax) save(false);
      return;
    }
    quietLooks = percent <= quietPercentMax ? quietLooks + 1 : 0;
    if (quietLooks >= quietLooksMin && nowMs - savedAtMs >= workMsMin) save(true);
  });
}
