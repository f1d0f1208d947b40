/** What is expected and predicted of the newest points. The stream does not tell it, so it is asked for now and then. */

import { timeOf } from "../chart/layers.ts";
import type { Point } from "../server/types.ts";

const EXTRAS = ["expected", "low", "high", "score", "predicted", "predicted_low", "predicted_high"] as const;

/** The points with what is known beside their values; their values stay. What is final, or has passed its prediction, has none. */
export function withOutlook(points: readonly Point[], known: readonly Point[]): readonly Point[] {
  if (known.length === 0) return points;
  const of = new Map(known.map((point) => [point.time, point]));
  return points.map((point) => {
    const extra = of.get(point.time);
    if (extra === undefined) return point;
    const ahead = !point.final && !passed(point, extra);
    const found = EXTRAS.filter((name) => extra[name] !== undefined && (ahead || !name.startsWith("predicted")));
    return { ...point, ...Object.fromEntries(found.map((name) => [name, extra[name]])) };
  });
}

/** Whether a value has gone past what was predicted when it was less far. */
function passed(point: Point, { value, predicted }: Point): boolean {
  if (typeof point.value !== "number" || typeof value !== "number" || predicted === undefined) return false;
  return (predicted - value) * (predicted - point.value) < 0;
}

/** What was known before and what is known now, of times from `from_ms` on; of one time the newer. */
export function gathered(before: readonly Point[], now: readonly Point[], from_ms: number): readonly Point[] {
  const of = new Map([...before, ...now].filter((point) => timeOf(point) >= from_ms).map((point) => [point.time, point]));
  return [...of.values()];
}
