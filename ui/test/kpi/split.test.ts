import { describe, expect, it } from "vitest";
import { nameOf, rank, restName, sliceNamed, slicesOf } from "../../src/kpi/split.ts";
import type { Dimension, Point } from "../../src/server/types.ts";

const point = (country: Dimension, value: number | null, time = "2026-03-02T09:00:00Z"): Point => ({ time, value, final: true, country });

describe("the greatest slices", () => {
  const many = [point("A", 1), point("B", 9), point(null, 5), point("C", null), point("D", 7), point("E", 2)];

  it("come first, and the others are counted", () => {
    expect(rank(many, "country", 3)).toEqual({ top: ["B", "D", null], others: 3 });
  });

  it("are all of them where only one would be left over", () => {
    expect(rank(many, "country", 5)).toEqual({ top: ["B", "D", null, "E", "A", "C"], others: 0 });
  });

  it("of one size are in the order of their names, so that nothing jumps", () => {
    expect(rank([point("b", 1), point("a", 1), point("c", 1)], "country", 1).top).toEqual(["a"]);
  });

  it("are none where there are none", () => {
    expect(rank([], "country", 3)).toEqual({ top: [], others: 0 });
  });
});

describe("lines of slices", () => {
  const ranking = { top: ["B", null], others: 2 };

  it("are in the order of the ranking, each with its own points; others have none", () => {
    const later = "2026-03-02T09:01:00Z";
    const lines = slicesOf([point(null, 1), point("B", 2), point("X", 3), point("B", 4, later)], "country", ranking);
    expect(lines.map((line) => [line.name, line.points.map((each) => each.value)])).toEqual([["B", [2, 4]], ["∅ (none)", [1]]]);
  });

  it("are found again by their names", () => {
    expect(sliceNamed("∅ (none)", ranking)).toBeNull();
    expect(sliceNamed("B", ranking)).toBe("B");
    expect(sliceNamed("X", ranking)).toBeUndefined();
    expect([nameOf(""), nameOf(true), nameOf("__other__"), restName(ranking)]).toEqual(["(empty)", "true", "beyond the limit of series", "the rest (2)"]);
  });
});
