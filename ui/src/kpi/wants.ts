/** What the server is asked for, so that a KPI's view can be drawn. */

import { lengthOf } from "../chart/window.ts";
import type { Kpi, Want } from "../server/types.ts";
import { parseDuration, stepFor } from "../words/durations.ts";
import type { Ranking } from "./split.ts";
import type { KpiState } from "./state.ts";
import { among, apart, both, conditionOf } from "./where.ts";

/** So many px a point needs at least, that it can be told from the next. */
const POINT_PX = 4;
const [FEWEST, MOST] = [60, 1_000];

export interface Wants {
  /** All that the filters leave; asked for where it is not split. */
  readonly whole: Want | null;
  readonly slices: Want | null;
  /** What no slice that is shown holds. No subtraction would be right for an average, a quantile, a ratio: the server merges it. */
  readonly rest: Want | null;
}

/** The step that is asked for, or the finest that the width can show. */
export function stepOf(kpi: Kpi, state: KpiState, width_px: number): string {
  const most = Math.min(MOST, Math.max(FEWEST, Math.floor(width_px / POINT_PX)));
  return state.step ?? stepFor(lengthOf(state.window), parseDuration(kpi.every), most);
}

/** The next step that is worth a try where the server keeps no buckets that fine of so long ago; null where there is none. */
export function coarserThan(step: string, kpi: Kpi): string | null {
  const [step_ms, every_ms] = [parseDuration(step), parseDuration(kpi.every)];
  return ["1m", "5m", "1h", "1d"].find((each) => parseDuration(each) > step_ms && parseDuration(each) % every_ms === 0) ?? null;
}

/** Steps that a person may choose: no finer than the buckets, and no more than a few thousand points. */
export function stepsFor(kpi: Kpi, state: KpiState): readonly string[] {
  const every_ms = parseDuration(kpi.every);
  const most = [kpi.every, "10s", "30s", "1m", "5m", "15m", "1h", "6h", "1d", "1w"];
  const fits = most.filter((step) => {
    const step_ms = parseDuration(step);
    const points = lengthOf(state.window) / step_ms;
    return step_ms >= every_ms && step_ms % every_ms === 0 && points <= 2 * MOST && points >= 2;
  });
  return [...new Set(state.step === null ? fits : [...fits, state.step])];
}

/** `ranking` is null as long as it is not known which slices are the greatest. */
export function wantsOf(kpi: Kpi, state: KpiState, step: string, timezone: string, ranking: Ranking | null): Wants {
  const plain = { kpi: kpi.kpi, step, timezone };
  const where = conditionOf(state.filters);
  if (state.by === null) return { whole: { ...plain, ...(where !== undefined && { where }) }, slices: null, rest: null };
  if (ranking === null) return { whole: null, slices: null, rest: null };
  return {
    whole: null,
    slices: { ...plain, by: [state.by], where: both(where, among(state.by, ranking.top)) },
    rest: ranking.others > 0 ? { ...plain, where: both(where, apart(state.by, ranking.top)) } : null,
  };
}
