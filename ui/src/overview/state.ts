/** Whether a KPI is fine: what its alert rules and its target say. */

import type { Alert, Kpi, Pace } from "../server/types.ts";

export type State = "fine" | "watch" | "alert" | "none";

export interface Standing {
  readonly state: State;
  readonly word: string;
  /** Why, in a few words; empty where all is fine. */
  readonly why: string;
}

/** The worst first. */
export const STATES: readonly State[] = ["alert", "watch", "fine", "none"];
const SEVERITIES: readonly (string | null)[] = ["critical", "error", "warning", "info"];
const GRAVE = 2;
/** How far from its target a period may be heading before somebody should look. */
const OFF_PACE = 0.1;

/** Whether anything says if a KPI is fine: a rule, or the pace of a target. */
export function isJudged(kpi: Pick<Kpi, "watched" | "paced">): boolean {
  return kpi.watched.length > 0 || kpi.paced;
}

/** `pace` is undefined while it is not known; `silent` says that there is no number of late that rules could have been asked of. */
export function standingOf(kpi: Pick<Kpi, "watched" | "good" | "paced">, alerts: readonly Alert[], pace: Pace | null | undefined, silent = false): Standing {
  const firing = worstFirst(alerts.filter((alert) => alert.status === "firing"));
  const worst = firing[0];
  if (worst !== undefined) {
    const why = firing.length === 1 ? worst.title : `${worst.title} and ${firing.length - 1} more`;
    return isGrave(worst) ? { state: "alert", word: "Alert", why } : { state: "watch", word: "Watch", why };
  }
  const pending = alerts.find((alert) => alert.status === "pending");
  if (pending !== undefined) return { state: "watch", word: "Watch", why: `${pending.title}, not for long enough yet` };
  const off = offPace(kpi.good, pace ?? null);
  if (off !== "") return { state: "watch", word: "Watch", why: off };
  if (silent) return { state: "none", word: "No data", why: "" };
  if (kpi.watched.length === 0 && pace === undefined && kpi.paced) return { state: "none", word: "…", why: "not known yet" };
  if (!isJudged(kpi)) return { state: "none", word: "No rule", why: "no alert rule or target's pace watches it" };
  return { state: "fine", word: "Fine", why: "" };
}

/** By severity; among those of the same as they were. */
export function worstFirst(alerts: readonly Alert[]): readonly Alert[] {
  return [...alerts].sort((one, other) => rankOf(one) - rankOf(other));
}

/** Whether somebody should come, rather than have an eye on it. */
export function isGrave(alert: Alert | undefined): boolean {
  return alert !== undefined && rankOf(alert) < GRAVE;
}

function rankOf({ severity }: Alert): number {
  const found = SEVERITIES.indexOf(severity);
  return found < 0 ? GRAVE : found;
}

/** As long as the target lies within what may well become of the period, early in it say, nobody need look. */
function offPace(good: Kpi["good"], pace: Pace | null): string {
  if (pace === null || pace.ratio === null) return "";
  const { ratio, target, low, high } = pace;
  if (good === "down") return ratio > 1 + OFF_PACE && !(low !== null && low <= target) ? "heading above its target" : "";
  return ratio < 1 - OFF_PACE && !(high !== null && high >= target) ? "heading below its target" : "";
}
