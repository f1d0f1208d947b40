import { expect, test } from "vitest";
import { type Filled, sayingOf } from "../../src/alerts/saying.ts";

const NOW_MS = Date.parse("2026-03-01T12:00:00Z");
const ABOUT = { rule: "errors_high", series: { service: "cart" } };
const filled = (some: Partial<Filled> = {}): Filled => ({ author: " Ann ", reason: "a release", span: "4h", until: "", whole: false, ...some });

test("a silence of one series, and of the whole rule", () => {
  expect(sayingOf(ABOUT, filled(), NOW_MS)).toEqual({ rule: "errors_high", series: { service: "cart" }, author: "Ann", reason: "a release", for: "4h" });
  expect(sayingOf(ABOUT, filled({ whole: true }), NOW_MS)).toMatchObject({ rule: "errors_high", series: {} });
});

test("of all rules none is named", () => {
  expect(sayingOf({ rule: null, series: {} }, filled(), NOW_MS)).not.toHaveProperty("rule");
});

test("until a moment, in the browser's zone", () => {
  const until = "2026-03-02T09:30";
  const saying = sayingOf(ABOUT, filled({ span: "custom", until }), NOW_MS);
  expect(saying["until"]).toBe(new Date(2026, 2, 2, 9, 30).toISOString());
  expect(saying).not.toHaveProperty("for");
});

test.each<[Partial<Filled>, RegExp]>([
  [{ author: " " }, /who you are/],
  [{ reason: "" }, /why/],
  [{ span: "custom", until: "" }, /date and the time/],
  [{ span: "custom", until: "tomorrow 5" }, /date and the time/],
  [{ span: "custom", until: "2020-01-01T00:00" }, /yet to come/],
])("what is missing or wrong is said: %j", (some, expected) => {
  expect(() => sayingOf(ABOUT, filled(some), NOW_MS)).toThrow(expected);
});
