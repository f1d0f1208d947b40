/** What a chart says in words: at a time, and as a whole. */

import type { Point } from "../server/types.ts";
import type { Numbers } from "../words/numbers.ts";
import { type Line, timeOf } from "./layers.ts";

export interface Wording {
  readonly numbers: Numbers;
  readonly unit: string | null;
  /** A moment as text. */
  readonly time: (time_ms: number) => string;
  /** A moment as text that says its day, too. */
  readonly full: (time_ms: number) => string;
  /** What an earlier time that is compared is called, such as `a week before`. */
  readonly compared: string | null;
}

export interface Reading {
  readonly time: string;
  /** The words for each line; null where it has none then. */
  readonly lines: readonly (string | null)[];
}

/** A line's point at a time. */
export function pointAt(line: Line, time_ms: number): Point | undefined {
  let [low, high] = [0, line.points.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const point = line.points[middle] as Point;
    const distance = timeOf(point) - time_ms;
    if (distance === 0) return point;
    if (distance < 0) low = middle + 1;
    else high = middle - 1;
  }
  return undefined;
}

/** The times that some line has a point at, in order. */
export function timesOfLines(lines: readonly Line[]): readonly number[] {
  return [...new Set(lines.flatMap((line) => line.points.map(timeOf)))].sort((one, other) => one - other);
}

export function readingAt(lines: readonly Line[], time_ms: number, words: Wording): Reading {
  return {
    time: words.time(time_ms),
    lines: lines.map((line) => {
      const point = pointAt(line, time_ms);
      return point === undefined ? null : pointText(point, words);
    }),
  };
}

/** A reading as one sentence, for a screen reader. */
export function spoken(lines: readonly Line[], reading: Reading): string {
  const parts = lines.map((line, index) => {
    const text = reading.lines[index] ?? "no value";
    return line.kind === "whole" ? text : `${line.name} ${text}`;
  });
  return `${reading.time}: ${parts.join("; ")}`;
}

function pointText(point: Point, { numbers, unit, full, compared }: Wording): string {
  const text = (value: number | undefined): string => numbers.text(value, unit);
  const parts = [numbers.text(point.value, unit)];
  if (!point.final) parts.push("provisional");
  if (!point.final && point.predicted !== undefined) {
    parts.push(`predicted ${text(point.predicted)} (${text(point.predicted_low)} to ${text(point.predicted_high)})`);
  }
  if (point.corrected !== undefined) parts.push(`corrected after it was final, at ${full(Date.parse(point.corrected))}`);
  if (point.low !== undefined && point.high !== undefined) {
    const outside = (point.score ?? 0) > 1 ? "outside of what is expected" : "expected";
    parts.push(`${outside}, ${text(point.low)} to ${text(point.high)}`);
  }
  if (compared !== null && point.before !== undefined) parts.push(`${compared} ${numbers.text(point.before, unit)}`);
  return parts.join(", ");
}

/** What several lines say at a time in a word or two, where a legend has their values; without a time, of what those are. */
export function brief(lines: readonly Line[], at_ms: number | null, words: Wording): string {
  if (at_ms === null) return "The newest values are below the chart.";
  const open = lines.some((line) => pointAt(line, at_ms)?.final === false);
  return `${words.time(at_ms)}${open ? ", provisional" : ""}`;
}

/** A line's value at a time; without one its newest. */
export function valueAt(line: Line, at_ms: number | null, { numbers, unit }: Wording): string {
  const point = at_ms === null ? line.points.at(-1) : pointAt(line, at_ms);
  return numbers.text(point?.value, unit);
}

/** A chart in a sentence or two: where its lines begin, end, and are lowest and highest. */
export function summaryOf(lines: readonly Line[], words: Wording): string {
  const told = lines.flatMap((line) => {
    const points = line.points.filter((point): point is Point & { value: number } => typeof point.value === "number");
    const last = points.at(-1);
    if (last === undefined) return [];
    // the newest may have hardly begun: that it is the lowest says nothing
    const whole = last.final || points.length === 1 ? points : points.slice(0, -1);
    const least = whole.reduce((one, other) => (other.value < one.value ? other : one));
    const most = whole.reduce((one, other) => (other.value > one.value ? other : one));
    const value = (point: Point): string => `${words.numbers.text(point.value, words.unit)} at ${words.time(timeOf(point))}`;
    const state = last.final ? "" : " (provisional)";
    if (lines.length > 1) return [`${line.name} ${words.numbers.text(last.value, words.unit)}${state}`];
    return [`Last ${value(last)}${state}; lowest ${value(least)}, highest ${value(most)}.`];
  });
  if (told.length === 0) return "There are no numbers in this range.";
  return lines.length > 1 ? `Last: ${told.join(", ")}.` : told.join(" ");
}
