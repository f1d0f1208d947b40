import { expect, test } from "vitest";
import { usableLocales } from "../../src/words/locales.ts";
import { bytesText, spanText } from "../../src/words/spans.ts";

const EN = ["en-US"];
const S = 1_000;

test.each([
  [0, "0 sec"],
  [-5 * S, "0 sec"],
  [999, "0 sec"],
  [59.9 * S, "59 sec"],
  [60 * S, "1 min"],
  [61 * S, "1 min 1 sec"],
  [3_600 * S, "1 hr"],
  [3_659 * S, "1 hr"],
  [12_000 * S, "3 hr 20 min"],
  [90_000 * S, "1 day 1 hr"],
  [20 * 86_400 * S, "20 days"],
])("%i ms is %s", (span_ms, text) => {
  expect(spanText(span_ms, EN)).toBe(text);
});

test.each([
  [0, "0 byte"],
  [999, "999 byte"],
  [1_000, "1 kB"],
  [12_345, "12.3 kB"],
  [345_678, "346 kB"],
  [9_224_488, "9.2 MB"],
  [5e15, "5,000 TB"],
])("%i bytes are %s", (bytes, text) => {
  expect(bytesText(bytes, EN)).toBe(text);
});

test("the locale's own words", () => {
  expect([spanText(61 * S, ["de"]), bytesText(12_345, ["de"])]).toEqual(["1 Min. 1 Sek.", "12,3 kB"]);
});

test("languages that are none are left out", () => {
  expect(usableLocales(["en-US@posix", "de-AT", "", "xx-invalid-tag-of-no-use"])).toEqual(["de-AT"]);
  expect(() => new Intl.NumberFormat([...usableLocales(["en-US@posix"])])).not.toThrow();
});
