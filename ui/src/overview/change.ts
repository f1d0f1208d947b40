/** How a number stands against the same time before, in words. */

import type { Kpi, Value } from "../server/types.ts";
import type { Numbers } from "../words/numbers.ts";
import type { Since } from "./earlier.ts";

export type Verdict = "better" | "worse" | "neither";

export interface Change {
  readonly direction: "up" | "down" | "same";
  readonly verdict: Verdict;
  /** How much: `+12 %`, `+0.4 points` of a share, `×41`, `-8.1 °C` where a percentage would say nothing. */
  readonly amount: string;
  /** Against what, and whether that is good: `better than last week`. */
  readonly against: string;
  /** The same, in full. */
  readonly full: string;
}

const SAME = 0.005;
const TIMES = 10;
const AGAINST: Readonly<Record<Since, string>> = { week: "last week", day: "yesterday" };

/** Null where the two can't be compared. */
export function changeOf(value: Value | undefined, before: Value | undefined, since: Since, kpi: Pick<Kpi, "good" | "unit">, numbers: Numbers): Change | null {
  if (typeof value !== "number" || typeof before !== "number") return null;
  const difference = value - before;
  const share = kpi.unit === "ratio";
  const ratio = difference === 0 ? 0 : difference / Math.abs(before);
  // a share's change is told in points: twice of one in a thousand is no great matter
  const slight = share ? Math.abs(difference) < SAME / 10 : Math.abs(ratio) < SAME;
  if (slight) return said("same", "neither", "no change", since);
  const direction = value > before ? "up" : "down";
  const verdict = kpi.good === null ? "neither" : kpi.good === direction ? "better" : "worse";
  return said(direction, verdict, share ? points(difference, numbers) : amountOf(value, before, kpi.unit, numbers), since);
}

function said(direction: Change["direction"], verdict: Verdict, amount: string, since: Since): Change {
  const words = verdict === "neither" ? "against" : `${verdict} than`;
  return { direction, verdict, amount, against: `${words} ${AGAINST[since]}`, full: `${amount}, ${words} the same time ${AGAINST[since]}` };
}

/** Of what was zero, or is below it, there is no percentage that anybody would understand: the difference says it. */
function amountOf(value: number, before: number, unit: string | null, numbers: Numbers): string {
  const difference = value - before;
  if (before <= 0 || value < 0) return `${difference > 0 ? "+" : "-"}${numbers.text(Math.abs(difference), unit, { compact: true })}`;
  const ratio = difference / before;
  return ratio >= TIMES ? `×${numbers.text(Math.round(value / before))}` : numbers.change(ratio);
}

function points(difference: number, numbers: Numbers): string {
  const rounded = Math.round(difference * 1_000) / 10;
  const text = numbers.text(Math.abs(rounded));
  return `${difference > 0 ? "+" : "-"}${text} ${Math.abs(rounded) === 1 ? "point" : "points"}`;
}
