/** Where a target's period stands and is heading, in words. */

import type { Kpi, Pace } from "../server/types.ts";
import type { Numbers } from "../words/numbers.ts";
import type { Times } from "../words/times.ts";
import { lengthWords } from "./windows.ts";

export interface PaceWords {
  /** `12k of 50k EUR today`. */
  readonly stands: string;
  /** `heading for 48k of 50k EUR today (96 %)`; empty where nothing is known of it yet. */
  readonly heading: string;
  /** As much of it as fits a card: `heading for 96 % of 50k EUR today`; where it stands, where no more is known. */
  readonly brief: string;
  /** How much is there, and how much of the period is gone; 0 to 1. */
  readonly done: number;
  readonly gone: number;
}

const DAY_MS = 86_400_000;

export function paceWords(pace: Pace, kpi: Pick<Kpi, "unit">, numbers: Numbers, times: Times, now_ms: number): PaceWords {
  const from_ms = Date.parse(pace.from);
  const to_ms = Date.parse(pace.to);
  const short = (value: number | null): string => numbers.text(value, kpi.unit, { compact: true });
  const percent = pace.ratio === null ? "" : numbers.text(Math.round(pace.ratio * 100) / 100, "ratio");
  const goal = `${short(pace.target)} ${periodWords(from_ms, to_ms, times)}`;
  const stands = `${short(pace.so_far)} of ${goal}`;
  const heading = pace.projected === null ? "" : `heading for ${short(pace.projected)} of ${goal}${percent && ` (${percent})`}`;
  return {
    ...{ stands, heading },
    brief: heading && percent ? `heading for ${percent} of ${goal}` : heading || stands,
    done: share(pace.so_far ?? 0, pace.target),
    gone: share(now_ms - from_ms, to_ms - from_ms),
  };
}

function periodWords(from_ms: number, to_ms: number, times: Times): string {
  const length_ms = to_ms - from_ms;
  // a day may have 23 or 25 hours
  if (Math.abs(length_ms - DAY_MS) <= DAY_MS / 24) return "today";
  if (Math.abs(length_ms - 7 * DAY_MS) <= DAY_MS / 24) return "this week";
  if (length_ms === DAY_MS / 24) return "this hour";
  if (length_ms > 27 * DAY_MS && length_ms < 32 * DAY_MS) return "this month";
  return length_ms < DAY_MS ? `in ${lengthWords(length_ms)}` : `by ${times.within(to_ms, 15 * DAY_MS)}`;
}

function share(part: number, whole: number): number {
  return whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 0;
}
