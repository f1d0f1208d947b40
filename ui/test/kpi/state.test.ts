import { describe, expect, it } from "vitest";
import { narrowed, parametersOf, stateOf, usualSpan, widened } from "../../src/kpi/state.ts";
import type { Kpi } from "../../src/server/types.ts";

export const KPI: Kpi = {
  ...{ kpi: "revenue", title: "Revenue", value: "sum(amount)", unit: "EUR", good: "up", every: "10s", over: "10s", by: ["country", "sku"] },
  ...{ description: null, owner: null, timezone: "UTC", target: null, paced: false, sources: [], watched: [] },
};
const HOUR = 3_600_000;
const of = (text: string) => stateOf(new URLSearchParams(text), KPI);

/** What an address says of a state. */
function address(text: string): string {
  const said = Object.entries(parametersOf(of(text), KPI)).filter((each): each is [string, string] => each[1] !== null);
  return new URLSearchParams(said).toString();
}

describe("the address of a KPI's view", () => {
  it("says nothing of what is as usual", () => {
    expect(address("")).toBe("");
    expect(of("").window).toEqual({ span_ms: usualSpan(KPI) });
  });

  it.each([
    "span=1d",
    "from=2026-03-02T09%3A00%3A00.000Z&to=2026-03-02T10%3A00%3A00.000Z",
    "step=5m&by=country&top=3&compare=1w",
    "only=%7B%22country%22%3A%22D%27E%22%2C%22sku%22%3Anull%7D",
    "expected=no&table=yes",
  ])("reproduces the view: %s", (text) => {
    expect(address(text)).toBe(text);
  });

  it("leaves out what makes no sense", () => {
    expect(address("span=long&step=7s&by=planet&top=99&compare=3y&only=%7Bx&from=2026-03-02&to=2026-03-01")).toBe("");
    expect(of('only={"planet":"x","country":{"a":1}}').filters).toEqual([]);
    expect(of("only=null").filters).toEqual([]);
  });
});

describe("the usual span", () => {
  it("is longer for longer buckets", () => {
    expect(usualSpan(KPI)).toBe(0.25 * HOUR);
    expect(usualSpan({ ...KPI, every: "1m" })).toBe(HOUR);
    expect(usualSpan({ ...KPI, every: "1d" })).toBe(30 * 24 * HOUR);
  });
});

describe("zooming", () => {
  it("out of a moving window goes to the next longer one", () => {
    expect(widened({ span_ms: HOUR }, 0)).toEqual({ span_ms: 6 * HOUR });
    expect(widened({ span_ms: 30 * 24 * HOUR }, 0)).toEqual({ span_ms: 60 * 24 * HOUR });
  });

  it("out of a fixed one doubles it about its middle, not past now", () => {
    expect(widened({ from_ms: 100, to_ms: 200 }, 1_000)).toEqual({ from_ms: 50, to_ms: 250 });
    expect(widened({ from_ms: 100, to_ms: 200 }, 210)).toEqual({ from_ms: 10, to_ms: 210 });
  });

  it("in ends at three buckets", () => {
    expect(narrowed(0, 60_000, 10_000)).toEqual({ from_ms: 0, to_ms: 60_000 });
    expect(narrowed(100_000, 110_000, 10_000)).toEqual({ from_ms: 90_000, to_ms: 120_000 });
  });
});
