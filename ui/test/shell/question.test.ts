// @vitest-environment jsdom
import type { ReactiveController, ReactiveControllerHost } from "lit";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Page } from "../../src/shell/page.ts";
import { Question } from "../../src/shell/question.ts";

/** An element with a question, whose answers the test gives. */
class World {
  about: unknown = "a";
  news = 1;
  readonly asked: { signal: AbortSignal; resolve: (text: string) => Promise<void>; reject: (error: Error) => Promise<void> }[] = [];
  readonly #controllers: ReactiveController[] = [];
  #connection: (connection: string) => void = () => undefined;
  readonly question: Question<string>;

  constructor(every_ms?: number, hangs = false) {
    const host = { addController: (each: ReactiveController) => this.#controllers.push(each), requestUpdate: () => undefined } as unknown as ReactiveControllerHost;
    const on = (_: string, listener: (connection: string) => void): (() => void) => {
      this.#connection = listener;
      return () => (this.#connection = () => undefined);
    };
    this.question = new Question(host, {
      page: () => ({ live: { on } }) as unknown as Page,
      about: () => this.about,
      ask: (signal) =>
        new Promise<string>((resolve, reject) => {
          const then = async (settle: () => void): Promise<void> => {
            settle();
            await vi.advanceTimersByTimeAsync(0);
          };
          this.asked.push({ signal, resolve: (text) => then(() => resolve(text)), reject: (error) => then(() => reject(error)) });
        }),
      ...(every_ms !== undefined && { every_ms }),
      ...(hangs && { news: () => this.news }),
    });
  }

  update(): void {
    for (const each of this.#controllers) each.hostUpdate?.();
  }

  connected(connection: string): void {
    this.#connection(connection);
  }

  disconnect(): void {
    for (const each of this.#controllers) each.hostDisconnected?.();
  }
}

const hide = (hidden: boolean): void => {
  Object.defineProperty(document, "hidden", { configurable: true, value: hidden });
  document.dispatchEvent(new Event("visibilitychange"));
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  hide(false);
  vi.useRealTimers();
});

test("it is asked once, and again when it becomes another", async () => {
  const world = new World();
  world.update();
  world.update();
  expect([world.asked.length, world.question.busy, world.question.answer]).toEqual([1, true, null]);
  await world.asked[0]!.resolve("one");
  expect([world.question.busy, world.question.answer]).toEqual([false, "one"]);
  world.about = "b";
  world.update();
  expect([world.asked.length, world.question.answer]).toEqual([2, "one"]); // until the new one is there
});

test("an answer that was overtaken counts no more", async () => {
  const world = new World();
  world.update();
  world.about = "b";
  world.update();
  expect(world.asked[0]!.signal.aborted).toBe(true);
  await world.asked[1]!.resolve("two");
  await world.asked[0]!.resolve("one");
  expect(world.question.answer).toBe("two");
});

test("a failure is told, and the last answer stays", async () => {
  const world = new World(5_000);
  world.update();
  await world.asked[0]!.resolve("one");
  await vi.advanceTimersByTimeAsync(5_000);
  await world.asked[1]!.reject(new Error("the server is gone"));
  expect([world.question.error?.message, world.question.answer]).toEqual(["the server is gone", "one"]);
  await vi.advanceTimersByTimeAsync(5_000);
  await world.asked[2]!.resolve("three");
  expect([world.question.error, world.question.answer]).toEqual([null, "three"]);
});

test("a hidden page asks nothing, and asks at once when it is looked at again", async () => {
  const world = new World(5_000);
  world.update();
  await world.asked[0]!.resolve("one");
  hide(true);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(world.asked.length).toBe(1);
  hide(false);
  expect(world.asked.length).toBe(2);
});

test("after a break it is asked anew where it is asked now and then, or had failed", async () => {
  const [often, once] = [new World(5_000), new World()];
  for (const world of [often, once]) {
    world.update();
    await world.asked[0]!.resolve("one");
    world.connected("broken");
    expect(world.asked.length).toBe(1);
    world.connected("live");
  }
  expect([often.asked.length, once.asked.length]).toEqual([2, 1]);
  once.question.again();
  await once.asked[1]!.reject(new Error("the server is gone"));
  once.connected("live");
  expect(once.asked.length).toBe(3);
});

test("an element that is gone asks no more, and does again when it is back", async () => {
  const world = new World(5_000);
  world.update();
  await world.asked[0]!.resolve("one");
  world.disconnect();
  world.connected("live");
  hide(true);
  hide(false);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(world.asked.length).toBe(1);
  world.update();
  expect(world.asked.length).toBe(2);
});

test("what hangs on something is asked again when that has changed, and else once in a minute", async () => {
  const world = new World(5_000, true);
  world.update();
  await world.asked[0]!.resolve("one");
  await vi.advanceTimersByTimeAsync(54_000);
  expect(world.asked.length).toBe(1);
  await vi.advanceTimersByTimeAsync(6_000);
  expect(world.asked.length).toBe(2);
  world.news = 2; // while it is asked: the answer may not know of it
  await world.asked[1]!.resolve("two");
  await vi.advanceTimersByTimeAsync(4_000);
  expect(world.asked.length).toBe(2);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(world.asked.length).toBe(3);
  await world.asked[2]!.reject(new Error("the server is gone"));
  await vi.advanceTimersByTimeAsync(5_000);
  expect(world.asked.length).toBe(4); // what failed is tried again, whatever it hangs on
});
