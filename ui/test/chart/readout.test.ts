import { describe, expect, it } from "vitest";
import type { Line } from "../../src/chart/layers.ts";
import { brief, pointAt, readingAt, spoken, summaryOf, timesOfLines, valueAt, type Wording } from "../../src/chart/readout.ts";
import type { Point } from "../../src/server/types.ts";
import { Numbers } from "../../src/words/numbers.ts";

const at = (second: number): string => new Date(second * 1_000).toISOString();
const point = (second: number, value: number | null, more: Partial<Point> = {}): Point => ({ time: at(second), value, final: true, ...more });
const line = (name: string, points: readonly Point[], kind: Line["kind"] = "slice"): Line => ({ name, points, kind });
const words: Wording = { numbers: new Numbers(["en-GB"]), unit: null, time: (time_ms) => `t${time_ms / 1_000}`, full: (time_ms) => `full t${time_ms / 1_000}`, compared: null };

describe("a chart's words", () => {
  it("find a line's point at a time, or none", () => {
    const found = line("a", [0, 10, 20, 30, 50].map((second) => point(second, second)));
    for (const second of [0, 10, 20, 30, 50]) expect(pointAt(found, second * 1_000)?.value).toBe(second);
    expect(pointAt(found, 40_000)).toBeUndefined();
    expect(timesOfLines([found, line("b", [point(40, 1), point(0, 1)])])).toEqual([0, 10, 20, 30, 40, 50].map((each) => each * 1_000));
  });

  it("say value, and whether it may change yet", () => {
    const found = line("a", [point(0, 5, { final: false, predicted: 9, predicted_low: 8, predicted_high: 10 })], "whole");
    expect(spoken([found], readingAt([found], 0, words))).toBe("t0: 5, provisional, predicted 9 (8 to 10)");
  });

  it("say what is expected and whether it is that", () => {
    const usual = line("a", [point(0, 5, { low: 4, high: 6, score: 0.2 }), point(10, 9, { low: 4, high: 6, score: 3 })], "whole");
    expect(readingAt([usual], 0, words).lines).toEqual(["5, expected, 4 to 6"]);
    expect(readingAt([usual], 10_000, words).lines).toEqual(["9, outside of what is expected, 4 to 6"]);
  });

  it("say the value of before, and that a point was corrected", () => {
    const found = line("a", [point(0, 5, { before: 3, corrected: at(90) })], "whole");
    const text = "5, corrected after it was final, at full t90, a week before 3";
    expect(readingAt([found], 0, { ...words, compared: "a week before" }).lines).toEqual([text]);
  });

  it("name each slice, and one without a value then", () => {
    const lines = [line("DE", [point(0, 1)]), line("FR", [point(10, 2)])];
    expect(spoken(lines, readingAt(lines, 0, words))).toBe("t0: DE 1; FR no value");
  });

  it("sum up one line by its ends and extremes, several by what they are last", () => {
    const one = line("a", [point(0, 5), point(10, null), point(20, 1), point(30, 8, { final: false })], "whole");
    expect(summaryOf([one], words)).toBe("Last 8 at t30 (provisional); lowest 1 at t20, highest 5 at t0.");
    expect(summaryOf([line("a", [point(0, 8, { final: false })], "whole")], words)).toBe("Last 8 at t0 (provisional); lowest 8 at t0, highest 8 at t0.");
    expect(summaryOf([line("DE", [point(0, 1)]), line("FR", [point(0, 2)])], words)).toBe("Last: DE 1, FR 2.");
    expect(summaryOf([line("a", [])], words)).toBe("There are no numbers in this range.");
  });

  it("are few where a legend has the values, which are those of the time pointed at", () => {
    const lines = [line("DE", [point(0, 1), point(10, 3, { final: false })]), line("FR", [point(0, 2)])];
    expect([brief(lines, 0, words), brief(lines, 10_000, words), brief(lines, null, words)]).toEqual(["t0", "t10, provisional", "The newest values are below the chart."]);
    expect(lines.map((each) => [valueAt(each, 0, words), valueAt(each, 10_000, words), valueAt(each, null, words)])).toEqual([["1", "3", "3"], ["2", "–", "2"]]);
  });
});
