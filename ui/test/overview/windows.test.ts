import { expect, test } from "vitest";
import { openWordsOf, wantOf, windowOf, wordsOf } from "../../src/overview/windows.ts";
import { kpi } from "./samples.ts";

test("what happens in ten seconds is shown by the minute", () => {
  const window = windowOf(kpi({ every: "10s", over: "10s" }));
  expect(window).toMatchObject({ step: "1m", step_ms: 60_000, covers_ms: 60_000, span_ms: 3_600_000, timezone: null, level: false });
  expect([wordsOf(window), openWordsOf(window)]).toEqual(["last minute", "this minute so far"]);
  expect(wantOf(kpi({ every: "10s", over: "10s" }), window)).toEqual({ kpi: "orders", step: "1m" });
});

test("a sliding window that is long enough stays as the file has it", () => {
  const sliding = kpi({ every: "1m", over: "5m" });
  const window = windowOf(sliding);
  expect(window).toMatchObject({ step: null, step_ms: 60_000, covers_ms: 300_000, span_ms: 120 * 60_000 });
  expect([wordsOf(window), openWordsOf(window)]).toEqual(["last 5 minutes", "as it stands"]);
  expect(wantOf(sliding, window)).toEqual({ kpi: "orders" });
});

test("a sliding window that is shorter than wished gives way", () => {
  expect(windowOf(kpi({ every: "10s", over: "30s" }))).toMatchObject({ step: "1m", covers_ms: 60_000 });
});

test("buckets that are longer than wished stay", () => {
  const window = windowOf(kpi({ every: "1h", over: "1h" }));
  expect(window).toMatchObject({ step: null, step_ms: 3_600_000, span_ms: 60 * 3_600_000 });
  expect(wordsOf(window)).toBe("last hour");
});

test("a bucket that no minute is a multiple of takes a usual step that is", () => {
  expect(windowOf(kpi({ every: "40s", over: "40s" }))).toMatchObject({ step: "2m", step_ms: 120_000 });
  expect(wordsOf(windowOf(kpi({ every: "40s", over: "40s" })))).toBe("last 2 minutes");
});

test("a day is the KPI's own, in its time zone", () => {
  const window = windowOf(kpi({ every: "10s", over: "10s" }), "day");
  expect(window).toMatchObject({ step: "1d", timezone: "Europe/Berlin" });
  expect([wordsOf(window), openWordsOf(window)]).toEqual(["yesterday", "today so far"]);
  expect(wantOf(kpi({}), window)).toEqual({ kpi: "orders", step: "1d", timezone: "Europe/Berlin" });
});

test("a day out of buckets that a zone's hours would cut is one of UTC", () => {
  const window = windowOf(kpi({ every: "1h", over: "1h" }), "day");
  expect(window).toMatchObject({ step: "1d", timezone: null });
  expect(wordsOf(window)).toBe("last full day");
});

test("a level is what it is now", () => {
  expect(wordsOf(windowOf(kpi({ value: "last(level)" })))).toBe("now");
  expect(windowOf(kpi({ value: "sum(last_amount)" })).level).toBe(false);
});
