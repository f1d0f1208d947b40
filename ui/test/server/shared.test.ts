// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Connect, SharedStreams } from "../../src/server/shared.ts";
import type { Heard, Streams } from "../../src/server/streams.ts";

/** A worker's end of a port, which the test speaks at. */
class Worker {
  readonly said: unknown[] = [];
  onerror: ((event: ErrorEvent) => void) | null = null;
  readonly port = { onmessage: null as ((event: MessageEvent) => void) | null, postMessage: (what: unknown) => void this.said.push(what), close: () => undefined };

  async say(data: unknown): Promise<void> {
    this.port.onmessage?.({ data } as MessageEvent);
    await vi.advanceTimersByTimeAsync(0);
  }
}

function world(connect?: () => Worker) {
  const workers: Worker[] = [];
  const own: Streams & { opened: number } = { opened: 0, hear: () => ((own.opened += 1), new Promise<never>(() => undefined)) };
  const streams = new SharedStreams((connect ?? (() => workers[workers.push(new Worker()) - 1])) as unknown as Connect, "t", own);
  const heard: Heard[] = [];
  const abort = new AbortController();
  const hear = (): Promise<string> => streams.hear([{ kpi: "a" }], abort.signal, (what) => heard.push(what)).catch((error: Error) => error.message);
  return { workers, own, heard, abort, hear };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("what the worker says is heard, and its signs of life are answered", async () => {
  const { workers, heard, hear, abort } = world();
  const ended = hear();
  await workers[0]!.say("here");
  await workers[0]!.say({ event: "hello", data: { commit: 1 } });
  expect(heard).toEqual([{ event: "hello", data: { commit: 1 } }]);
  abort.abort();
  await ended;
  expect(workers[0]!.said).toEqual([{ token: "t", wants: ['{"kpi":"a"}'] }, "here", "leave"]);
});

test("a stream that failed is told, and the next is shared again", async () => {
  const { workers, own, hear } = world();
  const ended = hear();
  await workers[0]!.say({ failed: "Send a token.", status: 401 });
  expect(await ended).toBe("Send a token.");
  void hear();
  expect([workers.length, own.opened]).toEqual([2, 0]);
});

test("a worker that dies is silent, and that ends the stream", async () => {
  const { workers, hear } = world();
  const ended = hear();
  await workers[0]!.say("here");
  await vi.advanceTimersByTimeAsync(36_000);
  expect(await ended).toBe("The stream is silent.");
});

test("a page that is left says so", async () => {
  const { workers, hear } = world();
  const ended = hear();
  dispatchEvent(new Event("pagehide"));
  await ended;
  expect(workers[0]!.said.at(-1)).toBe("leave");
});

test.each([
  ["there are no such workers", () => world(() => { throw new ReferenceError("SharedWorker"); }), async () => undefined],
  ["the worker can't be had", () => world(), async (worker?: Worker) => void worker?.onerror?.(new ErrorEvent("error"))],
  ["the worker does not answer", () => world(), async () => void (await vi.advanceTimersByTimeAsync(6_000))],
])("where %s the page opens its own streams, from then on", async (_, make, happens) => {
  const { workers, own, hear } = make();
  void hear();
  await happens(workers[0]);
  await vi.advanceTimersByTimeAsync(0);
  expect(own.opened).toBe(1);
  void hear();
  await vi.advanceTimersByTimeAsync(0);
  expect([own.opened, workers.length]).toEqual([2, Math.min(1, workers.length)]);
});

test("who has no room opens its own stream this time", async () => {
  const { workers, own, hear } = world();
  void hear();
  await workers[0]!.say("alone");
  expect(own.opened).toBe(1);
  void hear();
  expect([workers.length, own.opened]).toEqual([2, 1]);
});
