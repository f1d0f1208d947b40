import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Api } from "../../src/server/api.ts";
import { Feed, type Range } from "../../src/server/feed.ts";
import type { Live, Watcher } from "../../src/server/live.ts";
import type { Point, Points } from "../../src/server/types.ts";

const START = Date.parse("2026-01-01T00:00:00Z");

function point(minute: number, value: number, final = false): Point {
  return { time: new Date(START + minute * 60_000).toISOString(), value, final };
}

/** A server whose answers come when the test says so. */
class Desk {
  readonly asked: { from: string; answer: (points: Points) => void; fail: (error: Error) => void }[] = [];
  watcher: Watcher | null = null;
  told = 0;
  now = START + 60 * 60_000;

  feed(range: Range = { from_ms: START }): Feed {
    const api = { points: (_: unknown, span: { from: string }) => new Promise((answer, fail) => this.asked.push({ from: span.from, answer, fail })) };
    const live = { connection: "live", watch: (_: unknown, watcher: Watcher) => ((this.watcher = watcher), () => (this.watcher = null)) };
    return new Feed(api as unknown as Api, live as unknown as Live, () => this.now, { kpi: "k" }, range, () => (this.told += 1));
  }

  async answer(commit: number, points: readonly Point[]): Promise<void> {
    this.asked.shift()!.answer({ kpi: "k", unit: null, step: null, commit, points });
    await Promise.resolve();
    await Promise.resolve();
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const values = (feed: Feed): unknown[] => feed.points.map((each) => each.value);

test("what a range's answer saw already is not put over it", async () => {
  const desk = new Desk();
  const feed = desk.feed();
  feed.start();
  feed.changed(4, [point(0, 4)]);
  feed.changed(6, [point(1, 6)]);
  await desk.answer(5, [point(0, 5), point(1, 5)]);
  expect(values(feed)).toEqual([5, 6]);
  feed.changed(5, [point(0, 1)]);
  expect(values(feed)).toEqual([5, 6]);
});

test("whatever comes first, the end is what the server has", async () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    let state = seed;
    const random = (below: number): number => (state = (state * 48_271) % 2_147_483_647) % below;
    const desk = new Desk();
    const feed = desk.feed();
    const history: Map<number, number>[] = [new Map()];
    const undelivered: { commit: number; points: Point[] }[] = [];
    let connected = true;
    feed.start();
    for (let step = 0; step < 40; step += 1) {
      const kind = random(6);
      if (kind <= 1) {
        const next = new Map(history.at(-1));
        const minute = random(4);
        next.set(minute, history.length);
        history.push(next);
        if (connected) undelivered.push({ commit: history.length - 1, points: [point(minute, history.length - 1)] });
      } else if (kind === 2 && undelivered.length > 0) {
        const message = undelivered.shift()!;
        feed.changed(message.commit, message.points);
      } else if (kind === 3 && desk.asked.length > 0) {
        // the answer saw what there was at some time since it was asked for: at the latest now
        const commit = history.length - 1;
        await desk.answer(commit, [...history[commit]!].map(([minute, value]) => point(minute, value)));
      } else if (kind === 4) {
        connected = false;
        undelivered.length = 0;
      } else if (kind === 5 && !connected) {
        connected = true;
        feed.opened(history.length - 1);
      }
    }
    if (!connected) feed.opened(history.length - 1);
    for (const message of undelivered) feed.changed(message.commit, message.points);
    while (desk.asked.length > 0) await desk.answer(history.length - 1, [...history.at(-1)!].map(([minute, value]) => point(minute, value)));
    const expected = [...history.at(-1)!].sort(([one], [other]) => one - other).map(([, value]) => value);
    expect(values(feed), `seed ${seed}`).toEqual(expected);
  }
});

test("what says that a point was corrected is the server's, in a range and on the stream", async () => {
  const desk = new Desk();
  const feed = desk.feed();
  feed.start();
  const corrected = "2026-01-01T00:10:00Z";
  await desk.answer(1, [{ ...point(0, 1, true), corrected }, { ...point(1, 1, true), corrected }, point(2, 1, true)]);
  feed.changed(2, [point(1, 2, true), { ...point(2, 2, true), corrected }]);
  expect(feed.points.map((each) => each.corrected)).toEqual([corrected, undefined, corrected]);
});

test("a correction leaves what the stream does not tell, but no prediction of the old number", async () => {
  const desk = new Desk();
  const feed = desk.feed();
  feed.start();
  await desk.answer(1, [{ ...point(0, 1), before: 7, expected: 3, predicted: 9 }]);
  feed.changed(2, [point(0, 2)]);
  expect(feed.points[0]).toEqual({ ...point(0, 2), before: 7, expected: 3 });
});

test("a moving range forgets what it has left behind", async () => {
  const desk = new Desk();
  const feed = desk.feed({ span_ms: 3_600_000 });
  feed.start();
  expect(desk.asked[0]!.from).toBe(new Date(START).toISOString());
  await desk.answer(1, [point(0, 1), point(30, 1)]);
  desk.now += 60_000;
  feed.changed(2, [point(60, 2)]);
  expect(feed.points.map((each) => each.time)).toEqual([point(30, 0).time, point(60, 0).time]);
});

test("a range with an end takes in nothing after it", async () => {
  const desk = new Desk();
  const feed = desk.feed({ from_ms: START, to_ms: START + 60_000 });
  feed.start();
  await desk.answer(1, [point(0, 1)]);
  feed.changed(2, [point(0, 2), point(1, 2)]);
  expect(values(feed)).toEqual([2]);
});

test("an answer that comes after the feed was stopped counts no more", async () => {
  const desk = new Desk();
  const feed = desk.feed();
  feed.start();
  feed.stop();
  await desk.answer(1, [point(0, 1)]);
  expect([values(feed), desk.told, desk.watcher]).toEqual([[], 0, null]);
});

test("why a range can't be read is told, and forgotten when it can", async () => {
  const desk = new Desk();
  const feed = desk.feed();
  feed.start();
  desk.asked.shift()!.fail(new Error("no"));
  await Promise.resolve();
  await Promise.resolve();
  expect(feed.error?.message).toBe("no");
  feed.opened(1);
  await desk.answer(1, []);
  expect([feed.error, feed.ready]).toEqual([null, true]);
});

test("what is not final yet is asked for again by and by, and what is told meanwhile of earlier times counts", async () => {
  const desk = new Desk();
  const feed = desk.feed({ from_ms: START, extra: ["prediction"] });
  feed.start();
  await desk.answer(1, [point(0, 1, true), point(1, 1), point(2, 1)]);
  await vi.advanceTimersByTimeAsync(11_000);
  expect(desk.asked).toEqual([]); // nothing has changed
  await vi.advanceTimersByTimeAsync(50_000);
  expect(desk.asked.map((each) => each.from)).toEqual([new Date(START + 60_000).toISOString()]);
  feed.changed(2, [point(0, 2, true), point(1, 2)]);
  await desk.answer(3, [point(1, 3, true)]);
  expect(feed.points).toEqual([point(0, 2, true), point(1, 3, true)]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(desk.asked).toEqual([]); // all of it is final
});

test("what is expected is asked for soon after a change, not later with each that follows", async () => {
  const desk = new Desk();
  const feed = desk.feed({ from_ms: START, extra: ["prediction"] });
  feed.start();
  await desk.answer(1, [point(0, 1)]);
  for (let commit = 2; commit <= 10; commit += 1) {
    feed.changed(commit, [point(0, commit)]);
    await vi.advanceTimersByTimeAsync(1_000);
  }
  expect(desk.asked).toEqual([]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(desk.asked.length).toBe(1);
  feed.changed(11, [point(0, 11)]); // which the answer need not know of
  await desk.answer(10, [point(0, 10)]);
  expect(values(feed)).toEqual([11]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(desk.asked.length).toBe(1);
});

test("what the stream tells is not asked for, what could not be had soon is", async () => {
  const desk = new Desk();
  const feed = desk.feed();
  feed.start();
  await desk.answer(1, [point(0, 1)]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(desk.asked).toEqual([]);
  feed.changed(1, [point(0, 1, true)]); // time has passed, and no commit came
  expect(feed.points).toEqual([point(0, 1, true)]);
  feed.missed();
  desk.asked.shift()!.fail(new Error("no"));
  await vi.advanceTimersByTimeAsync(11_000);
  expect(desk.asked.length).toBe(1);
});

test("where more changed than is told, the range is asked for", async () => {
  const desk = new Desk();
  const feed = desk.feed();
  feed.start();
  await desk.answer(1, [point(0, 1)]);
  desk.watcher!.missed();
  await desk.answer(2, [point(0, 2)]);
  expect(values(feed)).toEqual([2]);
});
