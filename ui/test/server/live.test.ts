import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Api, ServerError } from "../../src/server/api.ts";
import { Live, type Watcher } from "../../src/server/live.ts";
import { OwnStreams } from "../../src/server/streams.ts";
import type { Point, Want } from "../../src/server/types.ts";

/** A server whose streams the test writes. */
class Server {
  readonly streams: { wants: readonly Want[]; signal: AbortSignal; send: (event: string, data: unknown) => Promise<void>; end: () => Promise<void> }[] = [];
  refuse: Error | null = null;

  get api(): Api {
    const stream = (wants: readonly Want[], _alerts: boolean, signal: AbortSignal): Promise<Response> => {
      if (this.refuse !== null) return Promise.reject(this.refuse);
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      const writer = writable.getWriter();
      const send = async (event: string, data: unknown): Promise<void> => {
        await writer.write(new TextEncoder().encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
        await settled();
      };
      this.streams.push({ wants, signal, send, end: async () => (await writer.close(), await settled()) });
      return Promise.resolve(new Response(readable));
    };
    return { stream } as unknown as Api;
  }
}

class Heard implements Watcher {
  readonly commits: number[] = [];
  readonly points: Point[] = [];
  opened(commit: number): void {
    this.commits.push(commit);
  }
  changed(_commit: number, points: readonly Point[]): void {
    this.points.push(...points);
  }
  misses = 0;
  missed(): void {
    this.misses += 1;
  }
}

const POINT: Point = { time: "2026-01-01T00:00:00Z", value: 1, final: false };
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  await vi.advanceTimersByTimeAsync(0);
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("one stream has all that is wanted, and each watcher hears of its own", async () => {
  const server = new Server();
  const live = new Live(new OwnStreams(server.api));
  const [first, second] = [new Heard(), new Heard()];
  live.watch({ kpi: "a" }, first);
  live.watch({ kpi: "b" }, second);
  await vi.advanceTimersByTimeAsync(50);
  expect(server.streams.map((stream) => stream.wants)).toEqual([[{ kpi: "a" }, { kpi: "b" }]]);
  await server.streams[0]!.send("hello", { commit: 3 });
  await server.streams[0]!.send("points", { commit: 4, at: POINT.time, points: [{ ...POINT, want: 1 }] });
  expect([first.commits, first.points, second.commits, second.points]).toEqual([[3], [], [3], [{ ...POINT, want: 1 }]]);
  expect(live.connection).toBe("live");
  await server.streams[0]!.send("points", { commit: 5, at: POINT.time, points: [], incomplete: [0] });
  expect([first.misses, second.misses]).toEqual([1, 0]);
});

test("the old stream is left only when the new one stands", async () => {
  const server = new Server();
  const live = new Live(new OwnStreams(server.api));
  live.watch({ kpi: "a" }, new Heard());
  await vi.advanceTimersByTimeAsync(50);
  await server.streams[0]!.send("hello", { commit: 1 });
  live.watch({ kpi: "b" }, new Heard());
  await vi.advanceTimersByTimeAsync(50);
  expect([server.streams.length, server.streams[0]!.signal.aborted, live.connection]).toEqual([2, false, "live"]);
  await server.streams[1]!.send("hello", { commit: 2 });
  expect(server.streams[0]!.signal.aborted).toBe(true);
});

test("a break is said, and the stream comes back", async () => {
  const server = new Server();
  const live = new Live(new OwnStreams(server.api));
  const heard = new Heard();
  live.watch({ kpi: "a" }, heard);
  await vi.advanceTimersByTimeAsync(50);
  await server.streams[0]!.send("hello", { commit: 1 });
  await server.streams[0]!.end();
  expect(live.connection).toBe("broken");
  await vi.advanceTimersByTimeAsync(1_000);
  await server.streams[1]!.send("hello", { commit: 9 });
  expect([live.connection, heard.commits, heard.misses]).toEqual(["live", [1], 1]); // time has made points final meanwhile
});

test("another definition than before is told once, however it is heard of", async () => {
  const server = new Server();
  const live = new Live(new OwnStreams(server.api));
  const told = vi.fn();
  live.on("definition", told);
  live.watch({ kpi: "a" }, new Heard());
  await vi.advanceTimersByTimeAsync(50);
  await server.streams[0]!.send("hello", { commit: 1, definition: "a" });
  await server.streams[0]!.send("definition", { definition: "a" });
  expect(told).not.toHaveBeenCalled();
  await server.streams[0]!.send("definition", { definition: "b" });
  expect(told).toHaveBeenCalledTimes(1);
  await server.streams[0]!.end();
  await vi.advanceTimersByTimeAsync(1_000);
  await server.streams[1]!.send("hello", { commit: 2, definition: "b" });
  expect(told).toHaveBeenCalledTimes(1);
  await server.streams[1]!.end();
  await vi.advanceTimersByTimeAsync(2_000);
  await server.streams[2]!.send("hello", { commit: 2, definition: "c" });
  expect(told).toHaveBeenCalledTimes(2);
});

test("a stream that is silent is broken", async () => {
  const server = new Server();
  const live = new Live(new OwnStreams(server.api));
  live.watch({ kpi: "a" }, new Heard());
  await vi.advanceTimersByTimeAsync(50);
  await server.streams[0]!.send("hello", { commit: 1 });
  await vi.advanceTimersByTimeAsync(34_000);
  expect(live.connection).toBe("live");
  await vi.advanceTimersByTimeAsync(2_000);
  expect([live.connection, server.streams[0]!.signal.aborted]).not.toContain("live");
});

test("who is refused is not asked for again until they have signed in", async () => {
  const server = new Server();
  server.refuse = new ServerError("send a token", 401);
  const live = new Live(new OwnStreams(server.api));
  live.watch({ kpi: "a" }, new Heard());
  await vi.advanceTimersByTimeAsync(60_000);
  expect([live.connection, server.streams.length]).toEqual(["refused", 0]);
  server.refuse = null;
  live.retry();
  await vi.advanceTimersByTimeAsync(1);
  expect(server.streams.length).toBe(1);
});

test("a hidden page has no stream, a short look away keeps it", async () => {
  const server = new Server();
  const live = new Live(new OwnStreams(server.api));
  live.watch({ kpi: "a" }, new Heard());
  await vi.advanceTimersByTimeAsync(50);
  await server.streams[0]!.send("hello", { commit: 1 });
  live.show(false);
  await vi.advanceTimersByTimeAsync(4_000);
  live.show(true);
  await vi.advanceTimersByTimeAsync(10_000);
  expect([live.connection, server.streams.length]).toEqual(["live", 1]);
  live.show(false);
  await vi.advanceTimersByTimeAsync(6_000);
  expect([live.connection, server.streams[0]!.signal.aborted]).toEqual(["paused", true]);
  live.show(true);
  await vi.advanceTimersByTimeAsync(50);
  expect(server.streams.length).toBe(2);
});
