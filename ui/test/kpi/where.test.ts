import { describe, expect, it } from "vitest";
import { among, apart, both, conditionOf } from "../../src/kpi/where.ts";

describe("a condition over slices", () => {
  it("quotes names and texts, so that a value is never read as anything else", () => {
    expect(among("country", ["D'E", "x') or 1=1 --"])).toBe(`"country" in ('D''E', 'x'') or 1=1 --')`);
    expect(among('a"b', [1])).toBe(`"a""b" in (1)`);
  });

  it("says null apart, which no list holds", () => {
    expect(among("country", ["DE", null])).toBe(`"country" in ('DE') or "country" is null`);
    expect(among("country", [null])).toBe(`"country" is null`);
  });

  it("of the rest is what is in no slice that is shown, null too unless it is one", () => {
    expect(apart("country", ["DE", "FR"])).toBe(`"country" is null or not "country" in ('DE', 'FR')`);
    expect(apart("country", ["DE", null])).toBe(`"country" is not null and not "country" in ('DE')`);
    expect(apart("country", [null])).toBe(`"country" is not null`);
  });

  it("of several filters is all of them", () => {
    expect(conditionOf([])).toBeUndefined();
    expect(conditionOf([{ dimension: "a", value: true }, { dimension: "b", value: null }])).toBe(`("a" in (true)) and ("b" is null)`);
    expect(both(undefined, "x or y")).toBe("x or y");
    expect(both("(z)", "x or y")).toBe("(z) and (x or y)");
  });

  it("of no slice at all holds nowhere", () => {
    expect(among("country", [])).toBe("1 = 0");
  });
});
