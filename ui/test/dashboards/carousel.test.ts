import type { ReactiveController } from "lit";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Carousel } from "../../src/dashboards/carousel.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function carousel(count: () => number): { carousel: Carousel; updates: () => number } {
  let updates = 0;
  const host = { addController: (_: ReactiveController) => undefined, removeController: () => undefined, requestUpdate: () => void (updates += 1), updateComplete: Promise.resolve(true) };
  const made = new Carousel(host, count, () => 1_000);
  made.hostConnected();
  return { carousel: made, updates: () => updates };
}

test("it goes on by itself, and round", () => {
  const { carousel: it, updates } = carousel(() => 3);
  const seen = [it.index];
  for (let turn = 0; turn < 4; turn += 1) {
    vi.advanceTimersByTime(1_000);
    seen.push(it.index);
  }
  expect(seen).toEqual([0, 1, 2, 0, 1]);
  expect([updates(), it.turns]).toEqual([4, 4]);
});

test("a slide that was chosen stays for its whole time", () => {
  const { carousel: it } = carousel(() => 3);
  vi.advanceTimersByTime(900);
  it.go(-1);
  expect(it.index).toBe(2);
  vi.advanceTimersByTime(900);
  expect(it.index).toBe(2);
  vi.advanceTimersByTime(100);
  expect(it.index).toBe(0);
});

test("held, it stays until it is let go; by hand it goes all the same", () => {
  const { carousel: it } = carousel(() => 3);
  it.pause();
  vi.advanceTimersByTime(10_000);
  expect([it.index, it.paused]).toEqual([0, true]);
  it.go(1);
  vi.advanceTimersByTime(10_000);
  expect(it.index).toBe(1);
  it.pause();
  vi.advanceTimersByTime(1_000);
  expect([it.index, it.paused]).toEqual([2, false]);
});

test("there may be fewer slides than before, or none", () => {
  let count = 3;
  const { carousel: it } = carousel(() => count);
  vi.advanceTimersByTime(2_000);
  count = 1;
  expect(it.index).toBe(0);
  count = 0;
  vi.advanceTimersByTime(1_000);
  expect(it.index).toBe(0);
});

test("what is not shown any more goes nowhere", () => {
  const { carousel: it, updates } = carousel(() => 3);
  it.hostDisconnected();
  it.pause(false);
  vi.advanceTimersByTime(10_000);
  expect([it.index, updates()]).toEqual([0, 1]);
});
