/** What the process lends: its processor time, a switch of its heap, and a way to be called again and again. */
export interface QuietMemorySurroundings {
  /** Processor time of the main thread so far. */
  readonly cpuMs: () => number;
  /** Whether the heap is to prefer memory to processor time. */
  readonly saveMemory: (isWanted: boolean) => void;
  /** Calls after each time of that length, as long as the process has something else to do. */
  readonly every: (ms: number, call: () => void) => void;
}

const lookEveryMs = 1_000;
/** Up to here the platform is taken for quiet: what it does by itself takes about one percent. */
const quietPercentMax = 5;
const quietLooksMin = 3;
/** So much work may have left something to give back. */
const workMsMin = 500;
/** The heap looks every two seconds whether there is something to do, and then needs a second or two. */
const savingLooksMax = 12;
/** Collecting is work, too: only much more than that ends it early. */
const busyPercentMin = 50;

/**
 * Has the heap give memory back when work has ended.
 *
 * The heap keeps room for as much as was allocated lately, and its pages with holes, until it is collected again; when nothing is
 * allocated any more, that is never. So once the main thread has been quiet for 3 s, the heap is told to prefer memory for up to 12 s: it
 * then collects twice in small steps, moves together what lies far apart and gives pages back. The next work ends that within a second.
 */
export function giveMemoryBackWhenQuiet({ cpuMs, saveMemory, every }: QuietMemorySurroundings): void {
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
