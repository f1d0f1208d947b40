import { expect, test } from "vitest";
import { ServerClock } from "../../src/server/clock.ts";

const HOUR = 3_600_000;

test("a machine whose clock is an hour behind shows the server's time", () => {
  let local = 1_000_000;
  const clock = new ServerClock(() => local);
  clock.hear(1_000_000 + HOUR, local, local);
  expect(clock.now()).toBe(1_000_000 + HOUR);
  local += 5_000;
  expect(clock.now()).toBe(1_005_000 + HOUR);
});

test("a difference that whole seconds can't tell is none", () => {
  const clock = new ServerClock(() => 10_900);
  clock.hear(10_000, 10_900, 10_900);
  expect(clock.now()).toBe(10_900);
});

test("the time does not jitter from answer to answer", () => {
  const clock = new ServerClock(() => 0);
  clock.hear(HOUR, 0, 0);
  clock.hear(HOUR + 700, 0, 0);
  expect(clock.now()).toBe(HOUR);
});

test("an answer whose date can't be read changes nothing", () => {
  const clock = new ServerClock(() => HOUR);
  clock.hear(Date.parse("Sun, 22 Nov 2026 21:00:00 GMT, Sun, 22 Nov 2026 21:00:00 GMT"), 0, 0);
  expect(clock.now()).toBe(HOUR);
});
