import { describe, expect, test } from "vitest";
import { formatDuration, parseDuration, stepFor } from "../../src/words/durations.ts";
import { Numbers } from "../../src/words/numbers.ts";
import { Times } from "../../src/words/times.ts";

const plain = (text: string): string => text.replace(/[\u00a0\u202f]/g, " ");

describe("durations", () => {
  test.each([["10s", 10_000], ["1m30s", 90_000], ["1w", 604_800_000], ["250ms", 250], ["1y", 31_536_000_000]])("%s", (text, duration_ms) => {
    expect(parseDuration(text)).toBe(duration_ms);
  });
  test.each(["", "5", "1q", "1h x"])("%j is none", (text) => {
    expect(() => parseDuration(text)).toThrow("no duration");
  });
  test("come back as they were", () => {
    for (const text of ["10s", "90s", "1m", "36h", "1d", "1w", "1500ms"]) expect(formatDuration(parseDuration(text))).toBe(text);
  });
  test("a step is a multiple of the bucket and leaves no more points than fit", () => {
    expect(stepFor(3_600_000, 10_000, 1_000)).toBe("10s");
    expect(stepFor(3_600_000, 10_000, 100)).toBe("1m");
    expect(stepFor(3_600_000, 7_000, 600)).toBe("7s");
    for (const every of [10_000, 60_000, 300_000]) {
      for (const span of [900_000, 86_400_000, 2_592_000_000]) {
        const step_ms = parseDuration(stepFor(span, every, 400));
        expect(step_ms % every).toBe(0);
        expect(span / step_ms).toBeLessThanOrEqual(400);
      }
    }
  });
});

describe("numbers", () => {
  const english = new Numbers(["en-GB"]);
  const german = new Numbers(["de-DE"]);
  test.each([
    [english, 1234.5, "EUR", "€1,234.50"],
    [german, 1234.5, "EUR", "1.234,50 €"],
    [english, 12_345.6, "EUR", "€12,346"],
    [english, 0.0321, "ratio", "3.21%"],
    [english, 0, "ratio", "0%"],
    [english, 17.25, "ms", "17.3 ms"],
    [english, 1234567, null, "1,234,567"],
    [german, 1234567, null, "1.234.567"],
    [english, 12.5, "orders", "12.5 orders"],
    [english, 12.5, "%", "12.5 %"],
    [english, 0.000123, null, "0.000123"],
    [english, null, "EUR", "–"],
    [english, "2026-01-01", null, "2026-01-01"],
    [english, -3, null, "-3"],
    [english, 0.000001, null, "0.000001"],
    [english, 5.012e-12, null, "5.01E-12"],
    [english, -4e-9, "ms", "-4E-9 ms"],
    [english, 0.000001, "EUR", "€0.00"],
  ] as const)("%# %s %s", (numbers, value, unit, text) => {
    expect(plain(numbers.text(value, unit))).toBe(text);
  });
  test("large ones are shortened where there is little room", () => {
    expect(plain(english.text(1_234_567, "EUR", { compact: true }))).toBe("€1.23m");
    expect(english.text(9_999, null, { compact: true })).toBe("9,999");
    expect(english.text(7.84e18, null, { compact: true })).toBe("7.84E18");
  });
  test("bytes are shortened by their own units", () => {
    expect(plain(english.text(96_812_345, "B", { compact: true }))).toBe("96.8 MB");
    expect(plain(english.text(-2.5e18, "bytes", { compact: true }))).toBe("-2,500 PB");
    expect(plain(german.text(12_345, "B", { compact: true }))).toBe("12,3 kB");
  });
  test("a change has its sign", () => {
    expect([english.change(0.125), english.change(-0.5), english.change(0)]).toEqual(["+12.5%", "-50%", "0%"]);
  });
});

describe("times", () => {
  const berlin = new Times(["en-GB"], "Europe/Berlin");
  const noon = Date.parse("2026-07-01T10:00:05Z");
  test("are shown in their zone", () => {
    expect(berlin.full(noon)).toBe("1 Jul 2026, 12:00:05");
    expect(berlin.within(noon, 60_000)).toBe("12:00:05");
    expect(berlin.within(noon, 86_400_000)).toBe("12:00");
  });
  test("how long ago", () => {
    expect(berlin.ago(noon, noon + 12_000)).toBe("12 sec ago");
    expect(berlin.ago(noon, noon + 3 * 3_600_000)).toBe("3 hr ago");
    expect(berlin.ago(noon + 120_000, noon)).toBe("in 2 min");
  });
});
