/** A KPI split by a dimension: its greatest slices each, and all others as one line, which the server works out. */

import type { Line } from "../chart/layers.ts";
import type { Dimension, Point } from "../server/types.ts";

/** What a source's series beyond `limits: series` are called together. */
const BEYOND = "__other__";

export interface Ranking {
  /** The greatest first. */
  readonly top: readonly Dimension[];
  /** How many there are beside. */
  readonly others: number;
}

/** Ranks the slices by their values over the whole range; those without a number come last. */
export function rank(points: readonly Point[], dimension: string, most: number): Ranking {
  const size = (point: Point): number => (typeof point.value === "number" ? point.value : -Infinity);
  const ranked = [...points].sort((one, other) => size(other) - size(one) || nameOf(valueOf(one, dimension)).localeCompare(nameOf(valueOf(other, dimension))));
  const found = ranked.map((point) => valueOf(point, dimension));
  // one slice beside would have a line all the same: its own name says more than "the rest"
  const shown = found.length === most + 1 ? most + 1 : most;
  return { top: found.slice(0, shown), others: Math.max(0, found.length - shown) };
}

/** A line for each ranked slice, in that order. */
export function slicesOf(points: readonly Point[], dimension: string, ranking: Ranking): Line[] {
  const of = new Map<Dimension, Point[]>(ranking.top.map((value) => [value, []]));
  for (const point of points) of.get(valueOf(point, dimension))?.push(point);
  return [...of].map(([value, those]) => ({ name: nameOf(value), points: those, kind: "slice" }));
}

/** What the line of all others is called. */
export function restName({ others }: Ranking): string {
  return `the rest (${others})`;
}

/** The slice that a line is of. */
export function sliceNamed(name: string, { top }: Ranking): Dimension | undefined {
  return top.find((value) => nameOf(value) === name);
}

export function nameOf(value: Dimension): string {
  if (value === null) return "∅ (none)";
  if (value === "") return "(empty)";
  return value === BEYOND ? "beyond the limit of series" : String(value);
}

function valueOf(point: Point, dimension: string): Dimension {
  return point[dimension] ?? null;
}
