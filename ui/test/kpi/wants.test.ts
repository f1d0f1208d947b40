import { describe, expect, it } from "vitest";
import { offsetIn } from "../../src/chart/axis.ts";
import { gathered, withOutlook } from "../../src/kpi/outlook.ts";
import { spansOf } from "../../src/kpi/overlays.ts";
import { stateOf } from "../../src/kpi/state.ts";
import { plainTarget, targetOf } from "../../src/kpi/target.ts";
import { fromWall, wallText } from "../../src/kpi/wall.ts";
import { coarserThan, stepOf, stepsFor, wantsOf } from "../../src/kpi/wants.ts";
import type { Alert, Annotation, Kpi, Pace, Point } from "../../src/server/types.ts";

const KPI: Kpi = {
  ...{ kpi: "revenue", title: "Revenue", value: "sum(amount)", unit: "EUR", good: "up", every: "10s", over: "10s", by: ["country", "sku"] },
  ...{ description: null, owner: null, timezone: "UTC", target: { "1d": 8_640, timezone: "UTC" }, paced: true, sources: [], watched: [] },
};
const state = (text: string) => stateOf(new URLSearchParams(text), KPI);

describe("the step", () => {
  it("is the finest that the width can show, or the one that was chosen", () => {
    expect(stepOf(KPI, state("span=15m"), 1_200)).toBe("10s");
    expect(stepOf(KPI, state("span=1d"), 1_200)).toBe("5m");
    expect(stepOf(KPI, state("span=1d"), 4_000)).toBe("2m");
    expect(stepOf(KPI, state("span=1d&step=1h"), 1_200)).toBe("1h");
  });

  it("has a coarser one that the buckets make, for long ago", () => {
    expect([coarserThan("10s", KPI), coarserThan("2m", KPI), coarserThan("1d", KPI)]).toEqual(["1m", "5m", null]);
    expect(coarserThan("10m", { ...KPI, every: "10m" })).toBe("1h");
  });

  it("may be any that the buckets make and that is worth a chart", () => {
    expect(stepsFor(KPI, state("span=15m"))).toEqual(["10s", "30s", "1m", "5m"]);
    expect(stepsFor({ ...KPI, every: "1h" }, state("span=1w"))).toEqual(["1h", "6h", "1d"]);
    expect(stepsFor(KPI, state("span=15m&step=20s"))).toContain("20s");
  });
});

describe("what is asked for", () => {
  it("is the whole where it is not split", () => {
    expect(wantsOf(KPI, state('only={"sku":"x"}'), "1m", "UTC", null)).toEqual({
      whole: { kpi: "revenue", step: "1m", timezone: "UTC", where: `("sku" in ('x'))` },
      slices: null,
      rest: null,
    });
  });

  it("is nothing until the greatest slices are known", () => {
    expect(wantsOf(KPI, state("by=country"), "1m", "UTC", null)).toEqual({ whole: null, slices: null, rest: null });
  });

  it("is the greatest slices, and all others as one", () => {
    const { slices, rest } = wantsOf(KPI, state('by=country&only={"sku":"x"}'), "1m", "UTC", { top: ["DE"], others: 3 });
    expect(slices).toMatchObject({ by: ["country"], where: `("sku" in ('x')) and ("country" in ('DE'))` });
    expect(rest).toMatchObject({ where: `("sku" in ('x')) and ("country" is null or not "country" in ('DE'))` });
    expect(rest).not.toHaveProperty("by");
    expect(wantsOf(KPI, state("by=country"), "1m", "UTC", { top: ["DE"], others: 0 }).rest).toBeNull();
  });
});

describe("a target's line", () => {
  const pace = { from: "2026-03-02T00:00:00Z", to: "2026-03-03T00:00:00Z", target: 8_640 } as Pace;

  it("is a step's part of the period where values add up", () => {
    expect(targetOf(KPI, pace, 10_000)).toBe(1);
  });

  it("is the value itself where they do not", () => {
    expect(targetOf(KPI, null, 10_000)).toBe(8_640);
    expect(plainTarget({ "1w": 5, "1d": 1, timezone: "UTC" })).toEqual({ period: "1d", value: 1 });
    expect([plainTarget(null), plainTarget([{ from: "2026-01-01", to: "2026-02-01", value: 3 }])]).toEqual([null, null]);
  });
});

describe("an outlook", () => {
  const point = (final: boolean): Point => ({ time: "2026-03-02T09:00:00Z", value: 5, final });
  const known: Point = { ...point(false), value: 4, low: 1, high: 9, predicted: 7 };

  it("adds what is known beside the value, and leaves the value", () => {
    expect(withOutlook([point(false)], [known])).toEqual([{ ...point(false), low: 1, high: 9, predicted: 7 }]);
  });

  it("has no prediction that the value has passed", () => {
    const value = (now: number): unknown => withOutlook([{ ...point(false), value: now }], [known])[0]?.predicted;
    expect([value(4), value(6.9), value(7.1)]).toEqual([7, 7, undefined]);
    expect(withOutlook([{ ...point(false), value: -9 }], [{ ...known, value: -4, predicted: -7 }])[0]?.predicted).toBeUndefined();
  });

  it("keeps what was known of times that are still shown, and the newer of two", () => {
    const later = { ...known, time: "2026-03-02T09:01:00Z" };
    const newer = { ...later, low: 2 };
    expect(gathered([known, later], [newer], Date.UTC(2026, 2, 2, 9))).toEqual([known, newer]);
    expect(gathered([known, later], [newer], Date.UTC(2026, 2, 2, 9, 1))).toEqual([newer]);
  });

  it("has no prediction of what has become final", () => {
    expect(withOutlook([point(true)], [known])).toEqual([{ ...point(true), low: 1, high: 9 }]);
  });
});

describe("what is drawn beside the lines", () => {
  it("are alerts with their series, and annotations", () => {
    const alert = { started: "2026-03-02T09:00:00Z", ended: null, title: "Low", series: { country: "DE" } } as unknown as Alert;
    const note = { time: "2026-03-02T09:00:00Z", end: "2026-03-02T10:00:00Z", text: "sale" } as Annotation;
    const from_ms = Date.UTC(2026, 2, 2, 9);
    const corrected = { ...alert, ended: alert.started, note: "corrected" };
    expect(spansOf([alert, corrected], [note])).toEqual([
      { from_ms, to_ms: null, text: "Low · DE", kind: "alert" },
      { from_ms, to_ms: from_ms + 3_600_000, text: "sale", kind: "note" },
    ]);
  });
});

describe("moments in a form", () => {
  it("are by the wall clock of the zone, there and back", () => {
    const berlin = offsetIn("Europe/Berlin");
    for (const time_ms of [Date.UTC(2026, 0, 1, 12), Date.UTC(2026, 6, 1, 12)]) expect(fromWall(wallText(time_ms, berlin), berlin)).toBe(time_ms);
    expect(wallText(Date.UTC(2026, 6, 1, 12), berlin)).toBe("2026-07-01T14:00:00");
    expect(fromWall("2026-07-01T14:00", berlin)).toBe(Date.UTC(2026, 6, 1, 12));
    expect(fromWall("soon", berlin)).toBeNull();
  });
});
