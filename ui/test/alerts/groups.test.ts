import { expect, test } from "vitest";
import { groupAlerts, heeded, rank, worseUp } from "../../src/alerts/groups.ts";
import { aKpi, anAlert, WHO } from "./alert.ts";

const of = (...values: (number | null)[]) =>
  values.map((value, index) => anAlert({ key: `k${index}`, value, series: { service: `s${index}` }, started: `2026-03-01T12:0${index}:00Z` }));
const order = (alerts: ReturnType<typeof of>, good: "up" | "down" | null): unknown[] =>
  groupAlerts(alerts, [aKpi({ good })])[0]!.alerts.map((alert) => alert.value);

test("200 series of a rule are one group, which counts them", () => {
  const alerts = Array.from({ length: 200 }, (_, index) => anAlert({ key: `k${index}`, series: { service: `s${index}` } }));
  const [group, ...others] = groupAlerts([...alerts, anAlert({ key: null, status: "pending", series: { service: "x" } })], [aKpi()]);
  expect(others).toEqual([]);
  expect([group!.rule, group!.firing, group!.pending, group!.unheeded, group!.alerts.length]).toEqual(["errors_high", 200, 1, 200, 201]);
  expect(group!.kpis.map((kpi) => kpi.kpi)).toEqual(["errors"]);
});

test("the worst is the highest where low is good, the lowest where high is, else the longest", () => {
  expect(order(of(3, 9, 5), "down")).toEqual([9, 5, 3]);
  expect(order(of(3, 9, 5), "up")).toEqual([3, 5, 9]);
  expect(order(of(3, 9, 5), null)).toEqual([3, 9, 5]);
  expect(order(of(3, null, 5), "down")).toContain(null);
});

test("a rule over KPIs that disagree on what is good has no worse side", () => {
  expect([worseUp([aKpi({ good: "up" }), aKpi({ good: "down" })]), worseUp([aKpi(), aKpi()]), worseUp([])]).toEqual([0, 1, 0]);
});

test("within a group, what fires and nobody looks after is first", () => {
  const [high, low] = [anAlert({ key: "a", value: 9, acknowledged_by: WHO }), anAlert({ key: "b", value: 1 })];
  const pending = anAlert({ key: null, value: null, status: "pending", started: "2026-01-01T00:00:00Z" });
  expect(groupAlerts([pending, high, low], [aKpi()])[0]!.alerts.map((alert) => alert.key)).toEqual(["b", "a", null]);
});

test("groups: what nobody looks after, then what is looked after, then what is pending; each by severity, then the newest", () => {
  const groups = groupAlerts(
    [
      anAlert({ rule: "pending", status: "pending" }),
      anAlert({ rule: "silenced", silenced_by: WHO }),
      anAlert({ rule: "warned", severity: "warning" }),
      anAlert({ rule: "older" }),
      anAlert({ rule: "newer", started: "2026-03-01T13:00:00Z" }),
      anAlert({ rule: "gone", severity: null }),
    ],
    [],
  );
  expect(groups.map((group) => group.rule)).toEqual(["newer", "older", "warned", "gone", "silenced", "pending"]);
  expect(groups.map((group) => group.unheeded)).toEqual([1, 1, 1, 1, 0, 0]);
});

test("severities have an order, and one that is unknown is the last", () => {
  expect(["critical", "error", "warning", "info", null, "odd"].map(rank)).toEqual([0, 1, 2, 3, 4, 4]);
});

test("what is silenced or acknowledged is heeded", () => {
  expect([heeded(anAlert()), heeded(anAlert({ silenced_by: WHO })), heeded(anAlert({ acknowledged_by: WHO }))]).toEqual([false, true, true]);
});
