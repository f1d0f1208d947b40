import { expect, test } from "vitest";
import { standingOf, worstFirst } from "../../src/overview/state.ts";
import { alert, kpi, pace } from "./samples.ts";

const WATCHED = kpi({ watched: ["few_orders"] });
const PACED = kpi({ target: { "1d": 1_000 }, paced: true });

test("a KPI that rules watch is fine while none of them fires", () => {
  expect(standingOf(WATCHED, [], null)).toEqual({ state: "fine", word: "Fine", why: "" });
});

test("a KPI that nothing watches is not called fine", () => {
  expect(standingOf(kpi(), [], null)).toMatchObject({ state: "none", word: "No rule" });
});

test("nor is one of whose target it is not known yet where it is heading", () => {
  expect(standingOf(PACED, [], undefined)).toMatchObject({ state: "none", word: "…" });
  expect(standingOf(PACED, [], null)).toMatchObject({ state: "fine" });
});

test("nor is one whose target has no pace", () => {
  expect(standingOf(kpi({ target: { "1h": 0.4 } }), [], null)).toMatchObject({ state: "none", word: "No rule" });
});

test("nor is one without a number", () => {
  expect(standingOf(WATCHED, [], null, true)).toMatchObject({ state: "none", word: "No data" });
  expect(standingOf(WATCHED, [alert()], null, true)).toMatchObject({ state: "alert" });
});

test.each([["critical", "alert"], ["error", "alert"], ["warning", "watch"], ["info", "watch"], [null, "watch"]])("an alert of severity %s makes it %s", (severity, state) => {
  expect(standingOf(WATCHED, [alert({ severity })], null)).toMatchObject({ state, why: "Few orders" });
});

test("the worst alert gives the state, and the others are counted", () => {
  const alerts = [alert({ severity: "warning", title: "Slow" }), alert({ severity: "error" })];
  expect(standingOf(WATCHED, alerts, null)).toEqual({ state: "alert", word: "Alert", why: "Few orders and 1 more" });
  expect(worstFirst(alerts)[0]?.severity).toBe("error");
});

test("a condition that holds for a short time only is watched", () => {
  expect(standingOf(WATCHED, [alert({ status: "pending" })], null)).toMatchObject({ state: "watch", why: "Few orders, not for long enough yet" });
});

test("a period that heads away from its target is watched, on the side that is bad", () => {
  expect(standingOf(PACED, [], pace({ ratio: 0.89 }))).toMatchObject({ state: "watch", why: "heading below its target" });
  expect(standingOf(PACED, [], pace({ ratio: 0.95 }))).toMatchObject({ state: "fine" });
  expect(standingOf(PACED, [], pace({ ratio: 1.5 }))).toMatchObject({ state: "fine" });
  expect(standingOf({ ...PACED, good: "down" }, [], pace({ ratio: 1.2, low: 1_100, high: 1_300 }))).toMatchObject({ state: "watch", why: "heading above its target" });
  expect(standingOf({ ...PACED, good: "down" }, [], pace({ ratio: 0.5 }))).toMatchObject({ state: "fine" });
  expect(standingOf(PACED, [], pace({ ratio: null }))).toMatchObject({ state: "fine" });
});

test("nobody is called while the target lies within what may well become of the period", () => {
  expect(standingOf(PACED, [], pace({ ratio: 0.5, low: 200, high: 1_000 }))).toMatchObject({ state: "fine" });
  expect(standingOf(PACED, [], pace({ ratio: 0.5, low: 200, high: 999 }))).toMatchObject({ state: "watch" });
  expect(standingOf(PACED, [], pace({ ratio: 0.5, low: null, high: null }))).toMatchObject({ state: "watch" });
  expect(standingOf({ ...PACED, good: "down" }, [], pace({ ratio: 1.5, low: 1_000, high: 2_000 }))).toMatchObject({ state: "fine" });
});
