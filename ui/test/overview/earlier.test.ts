import { expect, test } from "vitest";
import { Earlier } from "../../src/overview/earlier.ts";
import { daysBefore } from "../../src/overview/zones.ts";
import type { Point } from "../../src/server/types.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;
const NOON = Date.UTC(2026, 2, 4, 12);

/** A server that has points of every minute from a time on, whose values are the minutes since then. */
function server(from_ms: number): { asked: [number, number][]; ask: (from: number, to: number) => Promise<readonly Point[] | null> } {
  const asked: [number, number][] = [];
  const ask = (from: number, to: number): Promise<readonly Point[]> => {
    asked.push([from, to]);
    const points: Point[] = [];
    for (let time = Math.max(from, from_ms); time < to; time += MINUTE) points.push({ time: new Date(time).toISOString(), value: (time - from_ms) / MINUTE, final: true });
    return Promise.resolve(points);
  };
  return { asked, ask };
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

test("last week is preferred, and an hour of minutes is asked for once", async () => {
  const { asked, ask } = server(NOON - 8 * DAY);
  let told = 0;
  const earlier = new Earlier(ask, MINUTE, "UTC", () => (told += 1));
  expect(earlier.at(NOON, NOON + MINUTE)).toBeNull();
  expect(earlier.answered).toBe(false);
  await settled();
  expect([told, earlier.answered]).toEqual([1, true]);
  expect(earlier.at(NOON, NOON + MINUTE)).toEqual({ since: "week", value: 1_440 });
  expect(earlier.at(NOON + 59 * MINUTE, NOON + 60 * MINUTE)).toEqual({ since: "week", value: 1_499 });
  expect(asked).toEqual([[NOON - 7 * DAY, NOON - 7 * DAY + 60 * MINUTE]]);
  earlier.at(NOON + 60 * MINUTE, NOON + 61 * MINUTE);
  expect(asked.length).toBe(2);
});

test("yesterday does where there is no last week", async () => {
  const { ask } = server(NOON - 2 * DAY);
  const earlier = new Earlier(ask, MINUTE, "UTC", () => undefined);
  earlier.at(NOON, NOON);
  await settled();
  expect(earlier.at(NOON, NOON)).toEqual({ since: "day", value: 1_440 });
});

test("where there is neither, that is known too, and not asked for again and again", async () => {
  const { asked, ask } = server(NOON - MINUTE);
  const earlier = new Earlier(ask, MINUTE, "UTC", () => undefined);
  earlier.at(NOON, NOON);
  await settled();
  expect([earlier.at(NOON + MINUTE, NOON + MINUTE), earlier.answered, asked.length]).toEqual([null, true, 2]);
});

test("a server that can't tell of last week is asked for yesterday", async () => {
  const { ask } = server(NOON - 2 * DAY);
  const refusing = (from: number, to: number): Promise<readonly Point[] | null> => (from < NOON - 6 * DAY ? Promise.resolve(null) : ask(from, to));
  const earlier = new Earlier(refusing, MINUTE, "UTC", () => undefined);
  earlier.at(NOON, NOON);
  await settled();
  expect(earlier.at(NOON, NOON)?.since).toBe("day");
});

test("a step that is not over then is no measure", async () => {
  const { ask } = server(NOON - 7 * DAY);
  const earlier = new Earlier(ask, MINUTE, "UTC", () => undefined);
  earlier.at(NOON, NOON - 7 * DAY + MINUTE / 2);
  await settled();
  expect(earlier.at(NOON, NOON)).toBeNull();
});

test("the same time is that of the clock on the wall", () => {
  const monday_noon = Date.UTC(2026, 2, 30, 10); // 12:00 in Berlin, a day after summer time began
  expect(daysBefore(monday_noon, 7, "Europe/Berlin")).toBe(Date.UTC(2026, 2, 23, 11)); // 12:00 there
  expect(daysBefore(monday_noon, 7, "UTC")).toBe(Date.UTC(2026, 2, 23, 10));
  expect(daysBefore(Date.UTC(2026, 10, 1, 18, 0, 0, 250), 1, "America/New_York")).toBe(Date.UTC(2026, 9, 31, 17, 0, 0, 250));
});
