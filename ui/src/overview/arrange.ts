/** Which KPIs the overview shows, and in which order. */

import type { Alert, Kpi } from "../server/types.ts";
import { STATES, standingOf } from "./state.ts";

export type Order = "file" | "state" | "title";

export const ORDERS: readonly Order[] = ["file", "state", "title"];

/** The KPIs that have all words of `filter` in title, name, owner or description, in an order that keeps the file's among equals. */
export function arranged(kpis: readonly Kpi[], filter: string, order: Order, alerts: readonly Alert[]): readonly Kpi[] {
  const words = filter.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const found = words.length === 0 ? kpis : kpis.filter((kpi) => words.every((word) => textOf(kpi).includes(word)));
  if (order === "title") return [...found].sort((one, other) => one.title.localeCompare(other.title));
  if (order === "file") return found;
  const of = alertsByKpi(found, alerts);
  const rank = new Map(found.map((kpi) => [kpi.kpi, STATES.indexOf(standingOf(kpi, of.get(kpi.kpi) ?? [], null).state)]));
  return [...found].sort((one, other) => (rank.get(one.kpi) ?? 0) - (rank.get(other.kpi) ?? 0));
}

/** The alerts of each KPI's rules; a KPI without any is not in it. */
export function alertsByKpi(kpis: readonly Kpi[], alerts: readonly Alert[]): ReadonlyMap<string, readonly Alert[]> {
  const byRule = new Map<string, Alert[]>();
  for (const alert of alerts) {
    const those = byRule.get(alert.rule);
    if (those === undefined) byRule.set(alert.rule, [alert]);
    else those.push(alert);
  }
  if (byRule.size === 0) return new Map();
  return new Map(
    kpis.flatMap((kpi) => {
      const those = kpi.watched.flatMap((rule) => byRule.get(rule) ?? []);
      return those.length === 0 ? [] : [[kpi.kpi, those] as const];
    }),
  );
}

function textOf(kpi: Kpi): string {
  return `${kpi.title}\n${kpi.kpi}\n${kpi.owner ?? ""}\n${kpi.description ?? ""}`.toLocaleLowerCase();
}
