/** A KPI's target as a line in its chart. */

import type { Kpi, Pace } from "../server/types.ts";
import { parseDuration } from "../words/durations.ts";

/**
 * What a step should reach: where values add up (there is a pace) the step's part of the running period's target at an even pace, else
 * the target's value itself. Null where there is none.
 */
export function targetOf(kpi: Kpi, pace: Pace | null, step_ms: number): number | null {
  if (pace !== null) return (pace.target * step_ms) / (Date.parse(pace.to) - Date.parse(pace.from));
  return plainTarget(kpi.target)?.value ?? null;
}

/** A periodic target as the definition has it, the shortest period first: `{"1d": 4000000, "timezone": …}`. */
export function plainTarget(target: unknown): { period: string; value: number } | null {
  if (typeof target !== "object" || target === null || Array.isArray(target)) return null;
  const found = Object.entries(target).flatMap(([period, value]) =>
    typeof value === "number" && isDuration(period) ? [{ period, value }] : [],
  );
  return found.sort((one, other) => parseDuration(one.period) - parseDuration(other.period))[0] ?? null;
}

function isDuration(text: string): boolean {
  return /^(\d+(ms|[smhdw]))+$/.test(text);
}
