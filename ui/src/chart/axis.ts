/** The ticks of a time axis, by the wall clock of a zone. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const DISTANCES = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
  ...[1, 2, 7, 14, 28, 91, 182, 364].map((count) => count * DAY),
];
/** A Monday, so that ticks of weeks are Mondays. */
const MONDAY = Date.UTC(1970, 0, 5);

/** How far the wall clock of a zone is ahead of UTC at a moment, in ms. */
export type Offset = (time_ms: number) => number;

export function offsetIn(timezone: string): Offset {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: timezone,
    hourCycle: "h23",
    ...{ year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" },
  });
  return (time_ms) => {
    const parts = Object.fromEntries(format.formatToParts(time_ms).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(time_ms / SECOND) * SECOND;
  };
}

export interface Ticks {
  readonly times_ms: readonly number[];
  readonly distance_ms: number;
}

/** At most `most` ticks from one moment to another, at round times of the wall clock. */
export function ticksOf(from_ms: number, to_ms: number, most: number, offset: Offset): Ticks {
  const distance_ms = DISTANCES.find((each) => (to_ms - from_ms) / each <= Math.max(1, most)) ?? 364 * DAY;
  const anchor_ms = distance_ms >= DAY ? MONDAY : 0;
  const wall_ms = from_ms + offset(from_ms);
  const times_ms: number[] = [];
  let next_ms = anchor_ms + Math.ceil((wall_ms - anchor_ms) / distance_ms) * distance_ms;
  for (; ; next_ms += distance_ms) {
    const time_ms = instantOf(next_ms, offset);
    if (time_ms > to_ms) break;
    // an hour that the clock leaves out or has twice makes two ticks one
    if (time_ms >= from_ms && time_ms > (times_ms.at(-1) ?? -Infinity)) times_ms.push(time_ms);
  }
  return { times_ms, distance_ms };
}

/** When the wall clock shows a time. */
export function instantOf(wall_ms: number, offset: Offset): number {
  const guess_ms = wall_ms - offset(wall_ms);
  return wall_ms - offset(guess_ms);
}

/** Texts of ticks: the time of day, and below it the date where it is another than before; one text line for days. */
export class TickTexts {
  readonly #time: Intl.DateTimeFormat;
  readonly #second: Intl.DateTimeFormat;
  readonly #date: Intl.DateTimeFormat;

  constructor(locales: readonly string[], timezone: string) {
    const made = (options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
      new Intl.DateTimeFormat([...locales], { ...options, timeZone: timezone });
    this.#time = made({ hour: "2-digit", minute: "2-digit" });
    this.#second = made({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
    this.#date = made({ day: "numeric", month: "short" });
  }

  of({ times_ms, distance_ms }: Ticks): string[] {
    let before = "";
    return times_ms.map((time_ms) => {
      const date = this.#date.format(time_ms);
      if (distance_ms >= DAY) return date;
      const time = (distance_ms < MINUTE ? this.#second : this.#time).format(time_ms);
      const text = date === before ? time : `${time}\n${date}`;
      before = date;
      return text;
    });
  }
}
