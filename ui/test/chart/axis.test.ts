import { describe, expect, it } from "vitest";
import { instantOf, offsetIn, TickTexts, ticksOf } from "../../src/chart/axis.ts";

const HOUR = 3_600_000;
const utc = offsetIn("UTC");
const berlin = offsetIn("Europe/Berlin");
const iso = (times_ms: readonly number[]): string[] => times_ms.map((each) => new Date(each).toISOString());

describe("a zone's offset", () => {
  it("is that of the moment, summer or winter, half hours too", () => {
    expect(berlin(Date.UTC(2026, 0, 1))).toBe(HOUR);
    expect(berlin(Date.UTC(2026, 6, 1, 1, 2, 3, 456))).toBe(2 * HOUR);
    expect(offsetIn("Asia/Kolkata")(0)).toBe(5.5 * HOUR);
    expect(offsetIn("America/New_York")(Date.UTC(2026, 0, 1))).toBe(-5 * HOUR);
  });
});

describe("a wall clock's time", () => {
  it("is a moment by the offset that holds then, on the morning of a change too", () => {
    const moments = [instantOf(Date.UTC(2026, 2, 8, 3), offsetIn("America/New_York")), instantOf(Date.UTC(2026, 2, 29, 3), berlin)];
    expect(iso(moments)).toEqual(["2026-03-08T07:00:00.000Z", "2026-03-29T01:00:00.000Z"]);
  });
});

describe("ticks", () => {
  it("are at round times, and no more than asked for", () => {
    const from = Date.UTC(2026, 2, 2, 9, 7);
    const { times_ms, distance_ms } = ticksOf(from, from + HOUR, 6, utc);
    expect(distance_ms).toBe(10 * 60_000);
    expect(iso(times_ms)[0]).toBe("2026-03-02T09:10:00.000Z");
    expect(times_ms).toHaveLength(6);
  });

  it("are at midnights of the zone, over a day of 23 hours too", () => {
    const { times_ms } = ticksOf(Date.UTC(2026, 2, 27, 12), Date.UTC(2026, 2, 31, 12), 5, berlin);
    expect(iso(times_ms)).toEqual(["2026-03-27T23:00:00.000Z", "2026-03-28T23:00:00.000Z", "2026-03-29T22:00:00.000Z", "2026-03-30T22:00:00.000Z"]);
  });

  it("of weeks are Mondays", () => {
    const { times_ms, distance_ms } = ticksOf(Date.UTC(2026, 2, 1), Date.UTC(2026, 2, 30), 5, utc);
    expect(distance_ms).toBe(7 * 24 * HOUR);
    expect(times_ms.every((each) => new Date(each).getUTCDay() === 1)).toBe(true);
  });

  it("go on over the hour that a clock has twice, and never back", () => {
    const { times_ms } = ticksOf(Date.UTC(2026, 9, 24, 22), Date.UTC(2026, 9, 25, 6), 8, berlin);
    expect(times_ms.every((each, index) => index === 0 || each > (times_ms[index - 1] ?? 0))).toBe(true);
  });
});

describe("texts of ticks", () => {
  it("have the date where it changes", () => {
    const texts = new TickTexts(["en-GB"], "UTC").of({ times_ms: [Date.UTC(2026, 2, 2, 18), Date.UTC(2026, 2, 2, 21), Date.UTC(2026, 2, 3)], distance_ms: 3 * HOUR });
    expect(texts).toEqual(["18:00\n2 Mar", "21:00", "00:00\n3 Mar"]);
  });

  it("have seconds where ticks are that near, and dates alone where they are days", () => {
    const texts = new TickTexts(["en-GB"], "UTC");
    expect(texts.of({ times_ms: [0, 10_000], distance_ms: 10_000 })).toEqual(["00:00:00\n1 Jan", "00:00:10"]);
    expect(texts.of({ times_ms: [0], distance_ms: 24 * HOUR })).toEqual(["1 Jan"]);
  });
});
