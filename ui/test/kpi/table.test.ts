import { describe, expect, it } from "vitest";
import type { Line } from "../../src/chart/layers.ts";
import { csvOf, fileName } from "../../src/kpi/csv.ts";
import { rowsOf } from "../../src/kpi/rows.ts";
import type { Point } from "../../src/server/types.ts";

const point = (minute: number, value: Point["value"], more: Partial<Point> = {}): Point => ({ time: `2026-03-02T09:0${minute}:00Z`, value, final: true, ...more });
const line = (name: string, points: readonly Point[], kind: Line["kind"] = "whole"): Line => ({ name, points, kind });

describe("a table's rows", () => {
  const lines = [line("a", [point(0, 5), point(1, 1), point(2, 3, { final: false })]), line("b", [point(1, 7), point(3, null)])];
  const times = (order: Parameters<typeof rowsOf>[1]): number[] => rowsOf(lines, order).map((row) => new Date(row.time_ms).getUTCMinutes());

  it("have a time each, with the points of every line", () => {
    const [first, second] = rowsOf(lines, { by: "time", ascending: true });
    expect(first?.points.map((each) => each?.value)).toEqual([5, undefined]);
    expect(second?.points.map((each) => each?.value)).toEqual([1, 7]);
  });

  it("are ordered by time or by a line's values, either way, those without a number last", () => {
    expect(times({ by: "time", ascending: false })).toEqual([3, 2, 1, 0]);
    expect(times({ by: 0, ascending: true })).toEqual([1, 2, 0, 3]);
    expect(times({ by: 0, ascending: false })).toEqual([0, 2, 1, 3]);
    expect(times({ by: 1, ascending: true })[0]).toBe(1);
  });

  it("say what may still change, and what was corrected", () => {
    expect(rowsOf(lines, { by: "time", ascending: true }).map((row) => row.word)).toEqual(["final", "final", "provisional", "final"]);
    const corrected = line("a", [{ ...point(0, 5), corrected: "2026-03-02T12:00:00Z" }]);
    expect(rowsOf([corrected], { by: "time", ascending: true })[0]?.word).toBe("final, corrected");
  });
});

describe("CSV", () => {
  it("has a row a point, with what points have", () => {
    expect(csvOf([line("a", [point(0, 5, { before: 4 }), point(1, null, { final: false })])], null)).toBe(
      "time,value,final,before\n2026-03-02T09:00:00Z,5,true,4\n2026-03-02T09:01:00Z,,false,\n",
    );
  });

  it("has the slices in order of time, and the rest by its name", () => {
    const lines = [line("DE", [point(1, 2, { country: "DE" })], "slice"), line("∅ (none)", [point(0, 3, { country: null })], "slice"), line("the rest (2)", [point(0, 9)], "rest")];
    expect(csvOf(lines, "country")).toBe(
      "time,country,value,final\n2026-03-02T09:00:00Z,,3,true\n2026-03-02T09:00:00Z,the rest (2),9,true\n2026-03-02T09:01:00Z,DE,2,true\n",
    );
  });

  it("quotes what a reader would take for something else", () => {
    const text = (value: string): string | undefined => csvOf([line("a", [point(0, value)])], null).split("\n2026-03-02T09:00:00Z,")[1];
    expect(text('a,"b"')).toBe('"a,""b""",true\n');
    expect(text("=1+1")).toBe("'=1+1,true\n");
    expect(csvOf([line("a", [point(0, -1)])], null)).toContain(",-1,");
  });

  it("is saved under the KPI's name and the time", () => {
    expect(fileName("revenue", Date.UTC(2026, 2, 2, 9, 5), "csv")).toBe("revenue 2026-03-02T09-05.csv");
  });
});
