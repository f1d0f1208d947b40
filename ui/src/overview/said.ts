/** A small line in words, for who does not see it. */

import type { Point } from "../server/types.ts";

/** `60 values, from 3 to 9, the newest 5`; empty where there is no line. */
export function saidOf(points: readonly Point[], text: (value: number) => string): string {
  const values = points.flatMap(({ value }) => (typeof value === "number" ? [value] : []));
  const newest = values.at(-1);
  if (newest === undefined || values.length < 2) return "";
  const [low, high] = values.reduce(([least, most], value) => [Math.min(least, value), Math.max(most, value)], [Infinity, -Infinity]);
  return `${values.length} values, from ${text(low ?? newest)} to ${text(high ?? newest)}, the newest ${text(newest)}`;
}
