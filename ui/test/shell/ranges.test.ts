import { expect, test } from "vitest";
import { chosen, localInput, momentOf, ofInput } from "../../src/shell/ranges.ts";

const of = (text: string) => chosen(new URLSearchParams(text), "-1d");

test("a range of the address, or the usual one", () => {
  expect(of("")).toEqual({ from: "-1d" });
  expect(of("from=-1h")).toEqual({ from: "-1h" });
  expect(of("from=2026-03-01T12:00:00Z&to=2026-03-01T13:00:00Z")).toEqual({ from: "2026-03-01T12:00:00Z", to: "2026-03-01T13:00:00Z" });
  expect(of("from=yesterday&to=-1")).toEqual({ from: "-1d" });
});

test("only dates with a time are moments", () => {
  expect([momentOf("foo 1"), momentOf("-1h"), momentOf("2026-03-01"), momentOf(null), momentOf("2026-99-01T00:00")]).toEqual([null, null, null, null, null]);
  expect(momentOf("2026-03-01T12:00:00Z")).toBe(Date.UTC(2026, 2, 1, 12));
});

test("an input's text and back", () => {
  const time_ms = new Date(2026, 2, 1, 9, 5).getTime();
  expect(localInput(time_ms)).toBe("2026-03-01T09:05");
  expect(ofInput("2026-03-01T09:05")).toBe(new Date(time_ms).toISOString());
  expect(ofInput("")).toBeNull();
});
