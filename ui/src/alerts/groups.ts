/** Alerts by rule, the worst first: a rule that fires at 200 series is one thing to look at. */

import type { Alert, Kpi } from "../server/types.ts";

export const SEVERITIES = ["critical", "error", "warning", "info"] as const;

export interface Group {
  readonly rule: string;
  readonly title: string;
  readonly severity: string | null;
  /** The worst first. */
  readonly alerts: readonly Alert[];
  readonly firing: number;
  readonly pending: number;
  /** How many of those that fire nobody has silenced or looks after. */
  readonly unheeded: number;
  /** KPIs that the rule asks. */
  readonly kpis: readonly Kpi[];
}

/** Groups in the order in which they should be looked at: what fires and nobody looks after, by severity, before what is new. */
export function groupAlerts(alerts: readonly Alert[], kpis: readonly Kpi[]): Group[] {
  const by = new Map<string, Alert[]>();
  for (const alert of alerts) {
    const those = by.get(alert.rule);
    if (those === undefined) by.set(alert.rule, [alert]);
    else those.push(alert);
  }
  return [...by].map(([rule, those]) => groupOf(rule, those, kpis)).sort(compareGroups);
}

/** Which way a number gets worse: 1 up, -1 down, 0 where it is not known, as with a rule that asks several KPIs. */
export function worseUp(kpis: readonly Kpi[]): number {
  const goods = new Set(kpis.map((kpi) => kpi.good));
  if (goods.size !== 1) return 0;
  return goods.has("down") ? 1 : goods.has("up") ? -1 : 0;
}

/** Whether somebody has said something of an alert, so that it needs nobody else. */
export function heeded(alert: Alert): boolean {
  return alert.silenced_by !== null || alert.acknowledged_by !== null;
}

/** Severity as a rank, 0 for the worst. */
export function rank(severity: string | null): number {
  const found = SEVERITIES.findIndex((each) => each === severity);
  return found < 0 ? SEVERITIES.length : found;
}

function groupOf(rule: string, those: readonly Alert[], all: readonly Kpi[]): Group {
  const kpis = all.filter((kpi) => kpi.watched.includes(rule));
  const alerts = [...those].sort((one, other) => compareAlerts(one, other, worseUp(kpis)));
  const firing = alerts.filter((alert) => alert.status === "firing");
  const [worst] = alerts as [Alert];
  return {
    rule,
    title: worst.title,
    severity: worst.severity,
    alerts,
    firing: firing.length,
    pending: alerts.length - firing.length,
    unheeded: firing.filter((alert) => !heeded(alert)).length,
    kpis,
  };
}

function compareGroups(one: Group, other: Group): number {
  return (
    urgency(one) - urgency(other) ||
    rank(one.severity) - rank(other.severity) ||
    since(other).localeCompare(since(one)) ||
    one.rule.localeCompare(other.rule)
  );
}

function urgency(group: Group): number {
  return group.unheeded > 0 ? 0 : group.firing > 0 ? 1 : 2;
}

/** When the last of a group began. */
function since(group: Group): string {
  return group.alerts.reduce((last, alert) => (alert.started > last ? alert.started : last), "");
}

/** Firing before pending, unheeded before heeded, then by the number where it is known which way is worse, then the longest. */
function compareAlerts(one: Alert, other: Alert, up: number): number {
  return (
    Number(other.status === "firing") - Number(one.status === "firing") ||
    Number(heeded(one)) - Number(heeded(other)) ||
    worse(one, other, up) ||
    one.started.localeCompare(other.started)
  );
}

function worse(one: Alert, other: Alert, up: number): number {
  if (typeof one.value !== "number" || typeof other.value !== "number") return 0;
  return up * (other.value - one.value);
}
