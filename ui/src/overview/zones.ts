/** The same time by the clock on the wall, days before. */

const DAY_MS = 86_400_000;

/** A moment moved back by whole days of a time zone's calendar, of which some have 23 or 25 hours. All in ms since 1970. */
export function daysBefore(time_ms: number, days: number, timezone: string): number {
  const back_ms = time_ms - days * DAY_MS;
  return back_ms + offset(time_ms, timezone) - offset(back_ms, timezone);
}

/** How far a zone's clock is ahead of UTC, in ms. */
function offset(time_ms: number, timezone: string): number {
  const whole_ms = Math.floor(time_ms / 1_000) * 1_000;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: timezone, calendar: "iso8601", numberingSystem: "latn", hourCycle: "h23",
    year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
  });
  const parts = Object.fromEntries(format.formatToParts(whole_ms).map(({ type, value }) => [type, Number(value)]));
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts as Record<string, number>;
  return Date.UTC(year, month - 1, day, hour, minute, second) - whole_ms;
}
