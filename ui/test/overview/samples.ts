/** Things that the tests of views are made of. */

import type { Alert, Kpi, Pace, Point } from "../../src/server/types.ts";

export function kpi(differs: Partial<Kpi> = {}): Kpi {
  return {
    kpi: "orders", title: "Orders", value: "count(*)", unit: null, good: "up", every: "10s", over: "10s", by: [], description: null,
    owner: null, timezone: "Europe/Berlin", target: null, paced: false, sources: ["shop"], watched: [], ...differs,
  };
}

export function alert(differs: Partial<Alert> = {}): Alert {
  return {
    key: "k", rule: "few_orders", title: "Few orders", severity: "critical", series: {}, status: "firing", started: "2026-03-01T12:00:00Z", ended: null,
    value: 1, kpi: null, unit: null, summary: "", note: null, silenced_by: null, acknowledged_by: null, labels: {}, runbook: null, ...differs,
  };
}

export function pace(differs: Partial<Pace> = {}): Pace {
  return {
    time: "2026-03-01T12:00:00Z", from: "2026-03-01T00:00:00Z", to: "2026-03-02T00:00:00Z", target: 1_000, so_far: 400, projected: 800, low: 700,
    high: 900, ratio: 0.8, ...differs,
  };
}

/** A point of a minute of 2026-03-01, 12 o'clock. */
export function point(minute: number, value: Point["value"], final = true): Point {
  return { time: new Date(at(minute)).toISOString(), value, final };
}

export function at(minute: number): number {
  return Date.UTC(2026, 2, 1, 12, minute);
}
