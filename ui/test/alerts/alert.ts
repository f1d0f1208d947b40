/** Alerts and KPIs to test with. */

import type { Alert, Kpi } from "../../src/server/types.ts";

export function anAlert(some: Partial<Alert> = {}): Alert {
  return {
    key: "k", rule: "errors_high", title: "Errors high", severity: "critical", series: {}, status: "firing", started: "2026-03-01T12:00:00Z",
    ended: null, value: 1, kpi: null, unit: null, summary: "", note: null, silenced_by: null, acknowledged_by: null, labels: {}, runbook: null, ...some,
  };
}

export function aKpi(some: Partial<Kpi> = {}): Kpi {
  return {
    kpi: "errors", title: "Errors", value: "count(*)", unit: null, good: "down", every: "10s", over: "10s", by: ["service"], description: null,
    owner: null, timezone: "UTC", target: null, paced: false, sources: ["app"], watched: ["errors_high"], ...some,
  };
}

export const WHO = { number: 1, author: "Ann", reason: "a release", until: "2026-03-01T14:00:00Z" };
