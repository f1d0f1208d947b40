/** What a sparkline draws: pieces of a line in a box that is 100 wide and 30 high. */

import type { Point } from "../server/types.ts";
import { extentOf } from "./extent.ts";

export const WIDTH = 100;
export const HEIGHT = 30;

export interface Spark {
  /** SVG paths: of what is final, of what is provisional, and the ground between both and zero, or the edge that is nearest to it. */
  readonly final: string;
  readonly provisional: string;
  readonly ground: string;
  /** Where the line ends; null where there is none. */
  readonly end: readonly [x: number, y: number] | null;
}

type Spot = readonly [x: number, y: number, final: boolean];

/** The pieces of the points from `now_ms - span_ms` on; a bucket that is missing is a gap. */
export function sparkOf(points: readonly Point[], span_ms: number, now_ms: number): Spark {
  const from_ms = now_ms - span_ms;
  const shown = points.flatMap((point) => {
    const time_ms = Date.parse(point.time);
    return typeof point.value === "number" && time_ms >= from_ms && time_ms <= now_ms ? [{ time_ms, value: point.value, final: point.final }] : [];
  });
  const [low, high] = extentOf(shown.map((each) => each.value), 0.12);
  const upright = (value: number): number => round(HEIGHT - ((value - low) / (high - low)) * HEIGHT);
  const zero = upright(Math.min(high, Math.max(low, 0)));
  const step_ms = usualStep(shown.map((each) => each.time_ms));
  const runs: Spot[][] = [];
  let last_ms = -Infinity;
  for (const { time_ms, value, final } of shown) {
    const spot: Spot = [round(((time_ms - from_ms) / span_ms) * WIDTH), upright(value), final];
    if (runs.length === 0 || time_ms - last_ms > step_ms * 1.5) runs.push([spot]);
    else runs.at(-1)?.push(spot);
    last_ms = time_ms;
  }
  const end = runs.at(-1)?.at(-1);
  return {
    final: runs.map((run) => path(run.filter(([, , final]) => final))).join(""),
    provisional: runs.map(provisionalPath).join(""),
    ground: runs.map((run) => groundPath(run, zero)).join(""),
    end: end === undefined ? null : [end[0], end[1]],
  };
}

/** The distance that most neighbours have, in ms: the step of the points. */
export function usualStep(times_ms: readonly number[]): number {
  const counts = new Map<number, number>();
  for (let index = 1; index < times_ms.length; index += 1) {
    const distance_ms = (times_ms[index] ?? 0) - (times_ms[index - 1] ?? 0);
    if (distance_ms > 0) counts.set(distance_ms, (counts.get(distance_ms) ?? 0) + 1);
  }
  let found = Infinity;
  for (const [distance_ms, count] of counts) {
    const most = counts.get(found) ?? 0;
    if (count > most || (count === most && distance_ms < found)) found = distance_ms;
  }
  return found;
}

/** What is not final, from the last final spot before it on. */
function provisionalPath(run: readonly Spot[]): string {
  const first = run.findIndex(([, , final]) => !final);
  return first < 0 ? "" : path(run.slice(Math.max(0, first - 1)));
}

/** A line; of one spot alone a line that goes nowhere, which round caps make a dot. */
function path(spots: readonly Spot[]): string {
  if (spots.length === 1) return spots.map(([x, y]) => `M${x} ${y}h0`).join("");
  return spots.map(([x, y], index) => `${index === 0 ? "M" : "L"}${x} ${y}`).join("");
}

function groundPath(run: readonly Spot[], zero: number): string {
  const [first, last] = [run[0], run.at(-1)];
  if (first === undefined || last === undefined || run.length < 2) return "";
  return `M${first[0]} ${zero}${run.map(([x, y]) => `L${x} ${y}`).join("")}L${last[0]} ${zero}Z`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
