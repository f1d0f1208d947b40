/** The rows of the table behind a chart: a time each, with the value of every line. */

import { type Line, timeOf } from "../chart/layers.ts";
import type { Point } from "../server/types.ts";

export interface TableRow {
  readonly time_ms: number;
  /** By the lines' order. */
  readonly points: readonly (Point | undefined)[];
  /** What is to be said of the numbers. */
  readonly word: string;
}

/** What a table is ordered by: its times, or the values of a line. */
export interface Order {
  readonly by: "time" | number;
  readonly ascending: boolean;
}

export function rowsOf(lines: readonly Line[], order: Order): TableRow[] {
  const at = new Map<number, (Point | undefined)[]>();
  lines.forEach((line, index) => {
    for (const point of line.points) {
      const time_ms = timeOf(point);
      const points = at.get(time_ms) ?? new Array<Point | undefined>(lines.length).fill(undefined);
      points[index] = point;
      at.set(time_ms, points);
    }
  });
  const rows = [...at].map(([time_ms, points]) => ({ time_ms, points, word: wordOf(points) }));
  const way = order.ascending ? 1 : -1;
  return rows.sort((one, other) => compared(one, other, order.by, way) || way * (one.time_ms - other.time_ms));
}

/** Rows without a number are last, whichever the order. */
function compared(one: TableRow, other: TableRow, by: Order["by"], way: number): number {
  if (by === "time") return way * (one.time_ms - other.time_ms);
  const [left, right] = [one.points[by]?.value, other.points[by]?.value];
  if (typeof left !== "number" || typeof right !== "number") return Number(typeof right === "number") - Number(typeof left === "number");
  return way * (left - right);
}

function wordOf(points: readonly (Point | undefined)[]): string {
  const corrected = points.some((point) => point?.corrected !== undefined);
  const word = points.some((point) => point?.final === false) ? "provisional" : "final";
  return corrected ? `${word}, corrected` : word;
}
