/** Times by the viewer's locale, in a zone that is said. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export class Times {
  #formats = new Map<string, Intl.DateTimeFormat>();
  #relative: Intl.RelativeTimeFormat | null = null;

  constructor(
    private readonly locales: readonly string[],
    /** IANA name of the zone that times are shown in. */
    readonly timezone: string,
  ) {}

  /** A moment with its date: `22 Nov 2026, 16:05:00`. */
  full(time_ms: number): string {
    return this.#format({ dateStyle: "medium", timeStyle: "medium" }, time_ms);
  }

  /** As much of a moment as tells it from others in a range that long. */
  within(time_ms: number, range_ms: number): string {
    if (range_ms <= HOUR) return this.#format({ hour: "2-digit", minute: "2-digit", second: "2-digit" }, time_ms);
    if (range_ms <= 2 * DAY) return this.#format({ hour: "2-digit", minute: "2-digit" }, time_ms);
    if (range_ms <= 14 * DAY) return this.#format({ weekday: "short", day: "numeric", hour: "2-digit", minute: "2-digit" }, time_ms);
    return this.#format({ day: "numeric", month: "short", year: "numeric" }, time_ms);
  }

  /** How long ago: `12 s ago`, `in 3 min`. */
  ago(time_ms: number, now_ms: number): string {
    const gone = now_ms - time_ms;
    const [unit, size] = unitOf(Math.abs(gone));
    this.#relative ??= new Intl.RelativeTimeFormat([...this.locales], { style: "short", numeric: "always" });
    return this.#relative.format(-Math.round(gone / size), unit);
  }

  /** Making a format is dear, so each is kept. */
  #format(options: Intl.DateTimeFormatOptions, time_ms: number): string {
    const key = JSON.stringify(options);
    const found = this.#formats.get(key) ?? new Intl.DateTimeFormat([...this.locales], { ...options, timeZone: this.timezone });
    this.#formats.set(key, found);
    return found.format(time_ms);
  }
}

function unitOf(gone_ms: number): [Intl.RelativeTimeFormatUnit, number] {
  if (gone_ms < 90 * SECOND) return ["second", SECOND];
  if (gone_ms < 90 * MINUTE) return ["minute", MINUTE];
  return gone_ms < 36 * HOUR ? ["hour", HOUR] : ["day", DAY];
}
