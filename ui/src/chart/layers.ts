/** From points to the columns that are drawn: one time axis, and on it a column for each part of each line. */

import type { Point } from "../server/types.ts";
import { extentOf, type Extent } from "./extent.ts";

/** One line of a chart. */
export interface Line {
  /** What it is called, and what tells it from the others. */
  readonly name: string;
  /** In order of time. */
  readonly points: readonly Point[];
  /** A slice can be picked; the rest is all slices that have no line of their own. */
  readonly kind: "whole" | "slice" | "rest";
}

/** `final` and `open` are the line itself: what is final, and what is provisional with the last final point before it. */
export type Role = "low" | "high" | "predicted_low" | "predicted_high" | "before" | "final" | "open" | "predicted";
export type Column = (number | null)[];

export interface Layer {
  readonly role: Role;
  /** Which line it belongs to. */
  readonly line: number;
  readonly values: Column;
}

export interface Mark {
  readonly time_ms: number;
  readonly value: number;
  readonly line: number;
}

export interface Drawing {
  readonly times_ms: readonly number[];
  readonly layers: readonly Layer[];
  readonly extent: Extent;
  readonly corrected: readonly Mark[];
  /** Where what is provisional begins; null where all is final. */
  readonly open_ms: number | null;
}

const parsed = new WeakMap<Point, number>();

/** A point's time in ms since 1970; parsed once. */
export function timeOf(point: Point): number {
  let time_ms = parsed.get(point);
  if (time_ms === undefined) {
    time_ms = Date.parse(point.time);
    parsed.set(point, time_ms);
  }
  return time_ms;
}

export interface Drawn {
  /** Numbers to have on the upright axis too. */
  readonly also?: readonly number[];
  /** Whether a value stands until the next: then the last stands until its step ends. */
  readonly stepped?: boolean;
}

/** A bucket that no line has is a gap in all, one that some lines have is a gap in the others. */
export function drawingOf(lines: readonly Line[], step_ms: number, { also = [], stepped = false }: Drawn = {}): Drawing {
  const times_ms = gridOf(lines, step_ms);
  const last_ms = times_ms.at(-1);
  if (stepped && last_ms !== undefined) times_ms.push(last_ms + step_ms);
  const at = new Map(times_ms.map((time_ms, index) => [time_ms, index]));
  const layers: Layer[] = [];
  const corrected: Mark[] = [];
  let open_ms: number | null = null;
  lines.forEach((line, number) => {
    const columns = columnsOf(line, at);
    if (stepped) for (const role of ["final", "open"] as const) columns[role].splice(-1, 1, columns[role].at(-2) ?? null);
    const given = (role: Role): boolean => columns[role].some((value) => value !== null);
    const pairs = [["low", "high"], ["predicted_low", "predicted_high"]] as const;
    for (const [low, high] of pairs) if (given(low)) layers.push({ role: low, line: number, values: columns[low] }, { role: high, line: number, values: columns[high] });
    for (const role of ["before", "predicted"] as const) if (given(role)) layers.push({ role, line: number, values: columns[role] });
    layers.push({ role: "final", line: number, values: columns.final }, { role: "open", line: number, values: columns.open });
    for (const point of line.points) {
      const time_ms = timeOf(point);
      if (!point.final && (open_ms === null || time_ms < open_ms)) open_ms = time_ms;
      if (point.corrected !== undefined && typeof point.value === "number") corrected.push({ time_ms, value: point.value, line: number });
    }
  });
  return { times_ms, layers, extent: extentOf([...layers.flatMap((layer) => layer.values), ...also]), corrected, open_ms };
}

/** All times of all lines, with one more in each gap, so that a line breaks there. */
function gridOf(lines: readonly Line[], step_ms: number): number[] {
  const known = [...new Set(lines.flatMap((line) => line.points.map(timeOf)))].sort((one, other) => one - other);
  const found: number[] = [];
  for (const time_ms of known) {
    const before_ms = found.at(-1);
    if (before_ms !== undefined && time_ms - before_ms > step_ms * 1.5) found.push(before_ms + step_ms);
    found.push(time_ms);
  }
  return found;
}

function columnsOf(line: Line, at: ReadonlyMap<number, number>): Record<Role, Column> {
  const empty = (): Column => new Array<number | null>(at.size).fill(null);
  const columns: Record<Role, Column> = {
    ...{ low: empty(), high: empty(), predicted_low: empty(), predicted_high: empty() },
    ...{ before: empty(), final: empty(), open: empty(), predicted: empty() },
  };
  let last: { index: number; value: number } | null = null;
  for (const point of line.points) {
    const index = at.get(timeOf(point)) ?? 0;
    columns.before[index] = number(point.before);
    columns.low[index] = number(point.low);
    columns.high[index] = number(point.high);
    const value = number(point.value);
    if (value === null) continue;
    columns[point.final ? "final" : "open"][index] = value;
    if (point.final) last = { index, value };
    else if (last !== null && last.index === index - 1) columns.open[last.index] = last.value;
    const predicted = number(point.predicted);
    if (point.final || predicted === null) continue;
    for (const [role, begin] of [["predicted", predicted], ["predicted_low", point.predicted_low], ["predicted_high", point.predicted_high]] as const) {
      columns[role][index] = number(begin);
      if (last !== null && last.index === index - 1) columns[role][last.index] = last.value;
    }
  }
  return columns;
}

function number(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
