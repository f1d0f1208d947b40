import { expect, test } from "vitest";
import { alertPath, countText, deliveries, safeLink, sentence, seriesText, severityKind } from "../../src/alerts/alert-words.ts";
import { groupAlerts } from "../../src/alerts/groups.ts";
import type { Message } from "../../src/alerts/types.ts";
import { aKpi, anAlert, WHO } from "./alert.ts";

test("a series in words", () => {
  expect(seriesText({ country: "DE", service: "" })).toBe("country DE, service none");
  expect(seriesText({})).toBe("");
});

test.each([
  [1, 0, true, "1 series fires"],
  [200, 0, true, "200 series fire"],
  [200, 3, true, "200 series fire, 3 are pending"],
  [2, 1, true, "2 series fire, 1 is pending"],
  [0, 1, true, "1 series is pending"],
  [1, 0, false, "fires"],
  [0, 1, false, "is pending"],
])("%i firing and %i pending are said", (firing, pending, by, text) => {
  expect(countText(firing, pending, by)).toBe(text);
});

test("the link to a KPI shows the alert's series, from before it began until after its end", () => {
  const alert = anAlert({ series: { service: "cart", country: "DE" }, ended: "2026-03-01T12:10:00Z" });
  const url = new URL(alertPath(aKpi({ by: ["service"] }), alert, 0), "http://localhost");
  expect(url.pathname).toBe("/kpi/errors");
  expect(Object.fromEntries(url.searchParams)).toEqual({ from: "2026-03-01T11:30:00.000Z", to: "2026-03-01T12:40:00.000Z", only: '{"service":"cart"}' });
  const open = new URL(alertPath(aKpi(), anAlert(), Date.parse("2026-03-01T12:00:30Z")), "http://localhost");
  expect(Object.fromEntries(open.searchParams)).toEqual({ span: "31m" });
});

test.each([
  ["https://example.com/a?b=c", "https://example.com/a?b=c"],
  ["http://runbooks/x", "http://runbooks/x"],
  ["javascript:alert(1)", null],
  [" javascript:alert(1)", null],
  ["JAVASCRIPT:alert(1)", null],
  ["data:text/html,<script>", null],
  ["file:///etc/passwd", null],
  ["runbook.md", null],
  ["", null],
  [null, null],
])("the runbook %j is followed as %j", (given, link) => {
  expect(safeLink(given)).toBe(link);
});

test("what fires, in one sentence", () => {
  const said = (...alerts: Parameters<typeof groupAlerts>[0]): string => sentence(groupAlerts(alerts, []));
  expect(said()).toBe("Nothing fires.");
  expect(said(anAlert({ status: "pending" }))).toBe("Nothing fires; something is pending.");
  expect(said(anAlert())).toBe("1 rule fires (1 alert).");
  expect(said(anAlert(), anAlert({ key: "l" }), anAlert({ rule: "b", silenced_by: WHO }))).toBe("2 rules fire (3 alerts); 1 not looked after yet.");
  expect(said(anAlert({ acknowledged_by: WHO }))).toBe("1 rule fires (1 alert); all of it is silenced or looked after.");
});

test("how receivers took messages", () => {
  const message = (...states: string[]): Message => ({
    number: 1, rule: "r", at: "", status: "firing", firing: 1, resolved: 0, acknowledged_by: null,
    receivers: states.map((state) => ({ receiver: "hook", state, attempts: 1, at: "", reason: null })),
  });
  expect(deliveries([message("sent", "waiting"), message("sent", "given_up")])).toBe("2 messages: 2 sent, 1 waiting, 1 refused");
  expect(deliveries([message()])).toBe("1 message");
});

test("a severity's look", () => {
  expect(["critical", "error", "warning", "info", null].map(severityKind)).toEqual(["alert", "alert", "watch", "plain", "plain"]);
});
