/** Minutes, hours, days, months and weekdays of a schedule. */
export interface CronSchedule {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly weekdays: ReadonlySet<number>;
  /** Whether both day and weekday are restricted: then one match suffices, as in cron. */
  readonly isEitherDay: boolean;
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const shorthands: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
]);

/**
 * Parses a schedule of five fields, or a shorthand such as `@daily`.
 *
 * @throws RangeError naming the field at fault
 */
export function parseCron(text: string): CronSchedule {
  const fields = (shorthands.get(text.trim()) ?? text).trim().split(/\s+/);
  const [minute, hour, day, month, weekday] = fields;
  if (
    fields.length !== 5 ||
    minute === undefined ||
    hour === undefined ||
    day === undefined ||
    month === undefined ||
    weekday === undefined
  ) {
    throw new RangeError(`expected five fields (minute hour day month weekday), found ${fields.length}: "${text}"`);
  }
  const isAny = (field: string) => field.startsWith('*') || field === '?';
  const days = parseField('weekday', weekday, 0, 7, weekdays);
  return {
    minutes: parseField('minute', minute, 0, 59),
    hours: parseField('hour', hour, 0, 23),
    days: parseField('day', day, 1, 31),
    months: parseField('month', month, 1, 12, months),
    weekdays: new Set([...days].map((number) => number % 7)),
    isEitherDay: !isAny(day) && !isAny(weekday),
  };
}

function parseField(name: string, text: string, least: number, most: number, names: readonly string[] = []): ReadonlySet<number> {
  const found = new Set<number>();
  const numberOf = (word: string): number => {
    const named = names.indexOf(word.toLowerCase());
    const number = named >= 0 ? named + least : Number(word);
    if (!/^\d+$/.test(word) && named < 0) throw new RangeError(`${name} "${word}" is neither a number nor a name`);
    if (number < least || number > most) throw new RangeError(`${name} ${word} is not between ${least} and ${most}`);
    return number;
  };
  for (const part of text.split(',')) {
    const [range = '', step] = part.split('/');
    const every = step === undefined ? 1 : Number(step);
    if (!Number.isInteger(every) || every < 1) throw new RangeError(`${name} "${part}" has no step of 1 or more`);
    const [first = '', last] = range.split('-');
    const isWhole = range === '*' || range === '?';
    const from = isWhole ? least : numberOf(first);
    const to = isWhole || (last === undefined && step !== undefined) ? most : last === undefined ? from : numberOf(last);
    if (to < from) throw new RangeError(`${name} "${part}" ends before it begins`);
    for (let number = from; number <= to; number += every) found.add(number);
  }
  return found;
}

interface WallTime {
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
}

const minuteMs = 60_000;
/** Maximum number of steps of the search; enough to find 29 February eight years ahead. */
const stepsMax = 30_000;
/** Hour from which a non-matching day is searched hour by hour: a clock change at midnight could otherwise be skipped. */
const lateHour = 20;

/** The first time after `afterMs` at which a schedule runs in a time zone; undefined if there is none within years. */
export function nextRun(schedule: CronSchedule, afterMs: number, timeZone: string): number | undefined {
  const clock = wallClock(timeZone);
  let atMs = (Math.floor(afterMs / minuteMs) + 1) * minuteMs;
  for (let steps = 0; steps < stepsMax; steps += 1) {
    const wall = clock(atMs);
    const isOn = isDay(schedule, wall);
    if (isOn && schedule.hours.has(wall.hour) && schedule.minutes.has(wall.minute)) return atMs;
    if (!isOn && wall.hour < lateHour) atMs += ((lateHour - wall.hour) * 60 - wall.minute) * minuteMs;
    else if (!isOn || !schedule.hours.has(wall.hour)) atMs += (60 - wall.minute) * minuteMs;
    else atMs += minuteMs;
  }
  return undefined;
}

/**
 * The last time after `afterMs` and not after `untilMs` at which a schedule runs in a time zone; undefined if there is none. Bisects, so that
 * years of missed times cost about twenty searches.
 */
export function lastRun(
  schedule: CronSchedule,
  { afterMs, untilMs }: { readonly afterMs: number; readonly untilMs: number },
  timeZone: string,
): number | undefined {
  const runAfter = (ms: number): number | undefined => {
    const found = nextRun(schedule, ms, timeZone);
    return found !== undefined && found <= untilMs ? found : undefined;
  };
  let last = runAfter(afterMs);
  let noneAfterMs = untilMs;
  while (last !== undefined && noneAfterMs - last >= minuteMs) {
    const middleMs = last + Math.floor((noneAfterMs - last) / 2);
    const found = runAfter(middleMs);
    if (found === undefined) noneAfterMs = middleMs;
    else last = found;
  }
  return last;
}

function isDay({ months: of, days, weekdays: on, isEitherDay }: CronSchedule, { month, day, weekday }: WallTime): boolean {
  if (!of.has(month)) return false;
  return isEitherDay ? days.has(day) || on.has(weekday) : days.has(day) && on.has(weekday);
}

/** Returns a function that converts times to the wall time of a time zone. @throws RangeError for an unknown time zone */
export function wallClock(timeZone: string): (ms: number) => WallTime {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    month: 'numeric',
    day: 'numeric',
    weekday: 'short',
    hour: 'numeric',
    minute: 'numeric',
    hourCycle: 'h23',
  });
  return (ms) => {
    const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
    return {
      month: Number(parts['month']),
      day: Number(parts['day']),
      weekday: weekdays.indexOf((parts['weekday'] ?? '').toLowerCase()),
      hour: Number(parts['hour']),
      minute: Number(parts['minute']),
    };
  };
}
