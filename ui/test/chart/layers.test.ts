import { describe, expect, it } from "vitest";
import { drawingOf, type Line, type Role } from "../../src/chart/layers.ts";
import type { Point } from "../../src/server/types.ts";

const at = (second: number): string => new Date(second * 1_000).toISOString();
const point = (second: number, value: number | null, more: Partial<Point> = {}): Point => ({ time: at(second), value, final: true, ...more });
const line = (points: readonly Point[], more: Partial<Line> = {}): Line => ({ name: "a", points, kind: "whole", ...more });

function column(lines: readonly Line[], role: Role, number = 0, options = {}): readonly (number | null)[] | undefined {
  return drawingOf(lines, 10_000, options).layers.find((layer) => layer.role === role && layer.line === number)?.values;
}

describe("a drawing", () => {
  it("breaks the line where a bucket is missing", () => {
    const drawing = drawingOf([line([point(0, 1), point(10, 2), point(40, 3)])], 10_000);
    expect(drawing.times_ms).toEqual([0, 10_000, 20_000, 40_000]);
    expect(drawing.layers.find(({ role }) => role === "final")?.values).toEqual([1, 2, null, 3]);
  });

  it("has all lines on one time axis", () => {
    const lines = [line([point(0, 1)]), line([point(10, 5)], { name: "b" })];
    expect(column(lines, "final", 0)).toEqual([1, null]);
    expect(column(lines, "final", 1)).toEqual([null, 5]);
  });

  it("draws what is provisional apart, from the last final point on", () => {
    const points = [point(0, 1), point(10, 2), point(20, 3, { final: false }), point(30, 4, { final: false })];
    expect(column([line(points)], "final")).toEqual([1, 2, null, null]);
    expect(column([line(points)], "open")).toEqual([null, 2, 3, 4]);
    expect(drawingOf([line(points)], 10_000).open_ms).toBe(20_000);
    expect(drawingOf([line([point(0, 1)])], 10_000).open_ms).toBeNull();
  });

  it("does not join a provisional point to a final one over a gap", () => {
    expect(column([line([point(0, 1), point(30, 4, { final: false })])], "open")).toEqual([null, null, 4]);
  });

  it("shows a prediction of what is provisional only", () => {
    const outlook = { predicted: 9, predicted_low: 7, predicted_high: 11 };
    const points = [point(0, 1, outlook), point(10, 3, { final: false, ...outlook })];
    expect(column([line(points)], "predicted")).toEqual([1, 9]);
    expect(column([line(points)], "predicted_low")).toEqual([1, 7]);
    expect(column([line([point(0, 1, outlook)])], "predicted")).toBeUndefined();
  });

  it("has what is expected and an earlier time where points have them, and their numbers on the axis", () => {
    const drawing = drawingOf([line([point(0, 10, { low: 5, high: 50, before: 80 })])], 10_000);
    expect(drawing.layers.map(({ role }) => role)).toEqual(["low", "high", "before", "final", "open"]);
    expect(drawing.extent[1]).toBeGreaterThan(80);
    expect(drawingOf([line([point(0, 10)])], 10_000, { also: [200] }).extent[1]).toBeGreaterThan(200);
  });

  it("marks what was corrected, at its value now", () => {
    const drawing = drawingOf([line([point(0, 1), point(10, 7, { corrected: "2026-03-02T12:00:00Z" })])], 10_000);
    expect(drawing.corrected).toEqual([{ time_ms: 10_000, value: 7, line: 0 }]);
  });

  it("lets the last level stand until its step ends", () => {
    const points = [point(0, 1), point(10, 2, { final: false })];
    expect(drawingOf([line(points)], 10_000, { stepped: true }).times_ms).toEqual([0, 10_000, 20_000]);
    expect(column([line(points)], "open", 0, { stepped: true })).toEqual([1, 2, 2]);
  });

  it("leaves out what is no number", () => {
    expect(column([line([{ time: at(0), value: "gold", final: true }])], "final")).toEqual([null]);
  });
});
