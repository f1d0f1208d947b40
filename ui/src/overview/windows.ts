/** Which stretch of time a card's number is of, and how that is said. */

import type { Kpi, Want } from "../server/types.ts";
import { formatDuration, parseDuration } from "../words/durations.ts";

export type Wish = "minute" | "hour" | "day";

export const WISHES: readonly Wish[] = ["minute", "hour", "day"];

export interface Window {
  /** What the server is asked for; none: the KPI's own bucket. */
  readonly step: string | null;
  readonly step_ms: number;
  /** The time zone in which steps begin; none: UTC. */
  readonly timezone: string | null;
  /** How much time a value is of: more than the step where a window slides. */
  readonly covers_ms: number;
  /** How far back the sparkline goes. */
  readonly span_ms: number;
  /** Whether a value is a state of things that holds at the moment (a stock), not what happened in a time. */
  readonly level: boolean;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;
const WISHED_MS: Readonly<Record<Wish, number>> = { minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS };
/** Steps that people know, and that divide a day. */
const USUAL_MS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440].map((minutes) => minutes * MINUTE_MS);
const STEPS_BACK = 60;
const MOST_POINTS = 120;
/** Zones begin their hours at a multiple of this in UTC. */
const OFFSET_MS = 15 * MINUTE_MS;

/**
 * The window of a KPI's card: at least as long as wished, since what happens in ten seconds jumps and says little.
 * A sliding window that is long enough stays as the file has it.
 */
export function windowOf(kpi: Kpi, wish: Wish = "minute"): Window {
  const every_ms = parseDuration(kpi.every);
  const over_ms = parseDuration(kpi.over);
  const wished_ms = WISHED_MS[wish];
  const level = /^\s*last\s*\(/i.test(kpi.value);
  const slides = over_ms > every_ms && over_ms >= wished_ms;
  const larger_ms = every_ms >= wished_ms || slides ? null : USUAL_MS.find((each) => each >= wished_ms && each % every_ms === 0);
  const step_ms = larger_ms ?? every_ms;
  const covers_ms = Math.max(step_ms, over_ms);
  return {
    step: larger_ms ? formatDuration(step_ms) : null,
    step_ms,
    timezone: zoneFor(kpi, step_ms),
    covers_ms,
    span_ms: Math.min(STEPS_BACK * covers_ms, MOST_POINTS * step_ms),
    level,
  };
}

/**
 * The time zone that a KPI's steps of some length are to begin in; null: UTC. Buckets begin in UTC, and a zone's hours may cut one that
 * is longer than a quarter of an hour.
 */
export function zoneFor(kpi: Kpi, step_ms: number): string | null {
  const every_ms = parseDuration(kpi.every);
  return step_ms > every_ms && step_ms >= HOUR_MS && OFFSET_MS % every_ms === 0 ? kpi.timezone : null;
}

/** What the page wants of the server for it. */
export function wantOf(kpi: Kpi, window: Window): Want {
  return { kpi: kpi.kpi, ...(window.step && { step: window.step }), ...(window.timezone && { timezone: window.timezone }) };
}

/** `last minute`, `last 5 minutes`, `last hour`, `now`. */
export function wordsOf(window: Window): string {
  if (window.level) return "now";
  const { covers_ms, step_ms } = window;
  if (covers_ms === DAY_MS && step_ms === DAY_MS) return window.timezone === null ? "last full day" : "yesterday";
  const [count, unit] = counted(covers_ms);
  return count === 1 ? `last ${unit}` : `last ${count} ${unit}s`;
}

/** Of the window that is not over yet: `this minute so far`; where it slides, `as it stands`. */
export function openWordsOf(window: Window): string {
  if (window.covers_ms > window.step_ms) return "as it stands";
  const [count, unit] = counted(window.step_ms);
  if (count === 1) return unit === "day" ? "today so far" : `this ${unit} so far`;
  return `these ${count} ${unit}s so far`;
}

/** How long a time is, in the largest unit it is whole in: `5 minutes`. */
export function lengthWords(duration_ms: number): string {
  const [count, unit] = counted(duration_ms);
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

function counted(duration_ms: number): [number, string] {
  const units: readonly [string, number][] = [
    ["week", WEEK_MS],
    ["day", DAY_MS],
    ["hour", HOUR_MS],
    ["minute", MINUTE_MS],
    ["second", 1_000],
  ];
  const found = units.find(([, size_ms]) => duration_ms >= size_ms && duration_ms % size_ms === 0);
  return found === undefined ? [duration_ms, "millisecond"] : [duration_ms / found[1], found[0]];
}
