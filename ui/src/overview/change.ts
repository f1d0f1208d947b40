/** How a number stands against the same time before, in words. */

import type { Kpi, Value } from "../server/types.ts";
import type { Numbers } from "../words/numbers.ts";
import type { Since } from "./earlier.ts";

export type Verdict = "better" | "worse" | "neither";

export interface Change {
  readonly direction: "up" | "down" | "same";
  readonly verdict: Verdict;
  /** How much: `+12 %`, `+0.4 points` of a share, `×41`. */
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
  const share = kpi.unit === "ratio";
  // a share's change is told in points: twice of one in a thousand is no great matter
  if (!share && before === 0 && value !== 0) return null;
  const ratio = before === 0 ? value - before : (value - before) / Math.abs(before);
  const slight = share ? Math.abs(value - before) < SAME / 10 : Math.abs(ratio) < SAME;
  if (slight) return said("same", "neither", "no change", since);
  const direction = value > before ? "up" : "down";
  const verdict = kpi.good === null ? "neither" : kpi.good === direction ? "better" : "worse";
  return said(direction, verdict, share ? points(value - before, numbers) : amountOf(value, before, ratio, numbers), since);
}

function said(direction: Change["direction"], verdict: Verdict, amount: string, since: Since): Change {
  const words = verdict === "neither" ? "against" : `${verdict} than`;
  return { direction, verdict, amount, against: `${words} ${AGAINST[since]}`, full: `${amount}, ${words} the same time ${AGAINST[since]}` };
}

function amountOf(value: number, before: number, ratio: number, numbers: Numbers): string {
  if (ratio >= TIMES && before > 0) return `×${numbers.text(Math.round(value / before))}`;
  return numbers.change(ratio);
}

function points(difference: number, numbers: Numbers): string {
  const rounded = Math.round(difference * 1_000) / 10;
  const text = numbers.text(Math.abs(rounded));
  return `${difference > 0 ? "+" : "-"}${text} ${Math.abs(rounded) === 1 ? "point" : "points"}`;
}
