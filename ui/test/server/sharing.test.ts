import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ServerError } from "../../src/server/api.ts";
import { type Member, Sharing, type Told } from "../../src/server/sharing.ts";
import type { Heard, Streams } from "../../src/server/streams.ts";
import type { Want } from "../../src/server/types.ts";

interface Opened {
  readonly wants: readonly string[];
  readonly signal: AbortSignal;
  readonly say: (event: string, data: unknown) => void;
  readonly fail: (error: Error) => Promise<void>;
}

/** Streams that the test speaks on. */
class Server implements Streams {
  readonly opened: Opened[] = [];

  hear(wants: readonly Want[], signal: AbortSignal, heard: (what: Heard) => void): Promise<never> {
    return new Promise((_, reject) => {
      const fail = async (error: Error): Promise<void> => {
        reject(error);
        await vi.advanceTimersByTimeAsync(0);
      };
      const say = (event: string, data: unknown): void => void (signal.aborted || heard({ event, data }));
      this.opened.push({ wants: wants.map(({ kpi }) => kpi), signal, say, fail });
    });
  }
}

class Page implements Member {
  readonly told: Told[] = [];
  readonly wants: readonly string[];

  constructor(...kpis: readonly string[]) {
    this.wants = kpis.map((kpi) => JSON.stringify({ kpi }));
  }

  readonly tell = (told: Told): void => void this.told.push(told);
}

const hello = (commit: number, definition = "d"): Heard => ({ event: "hello", data: { commit, definition } });
const points = (commit: number, ...wants: number[]): { commit: number; at: string; points: object[] } => ({ commit, at: "", points: wants.map((want) => ({ want, value: commit })) });

async function sharing(...pages: readonly Page[]): Promise<{ server: Server; shared: Sharing }> {
  const server = new Server();
  const shared = new Sharing(server);
  for (const page of pages) shared.join(page);
  await vi.advanceTimersByTimeAsync(50);
  return { server, shared };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("pages have one stream, and each is told of what it wants by its own places", async () => {
  const [one, other] = [new Page("a", "b"), new Page("c", "b")];
  const { server } = await sharing(one, other);
  expect(server.opened.map(({ wants }) => wants)).toEqual([["a", "b", "c"]]);
  server.opened[0]!.say("hello", { commit: 3, definition: "d" });
  server.opened[0]!.say("points", { ...points(4, 0, 1), incomplete: [2] });
  expect(one.told).toEqual([hello(3), { event: "points", data: { ...points(4, 0, 1), incomplete: [] } }]);
  expect(other.told).toEqual([hello(3), { event: "points", data: { ...points(4, 1), incomplete: [0] } }]);
  server.opened[0]!.say("points", points(5, 2));
  server.opened[0]!.say("alert", { key: "k" });
  expect(one.told.at(-1)).toEqual({ event: "alert", data: { key: "k" } });
  expect([one.told.length, other.told.length]).toEqual([3, 4]);
});

test("who comes later and wants nothing new is greeted with the last commit that was told", async () => {
  const { server, shared } = await sharing(new Page("a", "b"));
  server.opened[0]!.say("hello", { commit: 3, definition: "d" });
  server.opened[0]!.say("points", points(7, 0));
  server.opened[0]!.say("definition", { definition: "e" });
  const late = new Page("b");
  shared.join(late);
  expect([late.told, server.opened.length]).toEqual([[hello(7, "e")], 1]);
});

test("a new want opens a stream with all there are, and the one before tells until it stands", async () => {
  const [one, other] = [new Page("a"), new Page("b")];
  const { server, shared } = await sharing(one);
  server.opened[0]!.say("hello", { commit: 1, definition: "d" });
  shared.join(other);
  await vi.advanceTimersByTimeAsync(50);
  expect(server.opened[1]!.wants).toEqual(["a", "b"]);
  server.opened[0]!.say("points", points(2, 0));
  expect([one.told.length, other.told.length, server.opened[0]!.signal.aborted]).toEqual([2, 0, false]);
  server.opened[1]!.say("hello", { commit: 5, definition: "d" });
  expect([one.told.at(-1), other.told, server.opened[0]!.signal.aborted]).toEqual([hello(5), [hello(5)], true]);
  server.opened[1]!.say("points", points(6, 1));
  expect([one.told.length, other.told.length]).toEqual([3, 2]);
});

test("who comes while a stream is opened without what they want is not left on the one before", async () => {
  const [one, gone, other, late] = [new Page("a"), new Page("b"), new Page("c"), new Page("b")];
  const { server, shared } = await sharing(one, gone);
  server.opened[0]!.say("hello", { commit: 1, definition: "d" });
  shared.leave(gone);
  shared.join(other);
  await vi.advanceTimersByTimeAsync(50);
  expect(server.opened[1]!.wants).toEqual(["a", "c"]);
  shared.join(late);
  expect(late.told).toEqual([hello(1)]);
  server.opened[1]!.say("hello", { commit: 2, definition: "d" });
  await vi.advanceTimersByTimeAsync(50);
  expect(server.opened[2]!.wants).toEqual(["a", "c", "b"]);
  server.opened[2]!.say("hello", { commit: 3, definition: "d" });
  expect(late.told).toEqual([hello(1), hello(3)]);
});

test("the last that leaves ends the stream", async () => {
  const [one, other] = [new Page("a"), new Page("a")];
  const { server, shared } = await sharing(one, other);
  server.opened[0]!.say("hello", { commit: 1, definition: "d" });
  shared.leave(one);
  expect(server.opened[0]!.signal.aborted).toBe(false);
  shared.leave(other);
  expect(server.opened[0]!.signal.aborted).toBe(true);
  shared.join(new Page("a"));
  shared.leave(one); // a second time
  await vi.advanceTimersByTimeAsync(50);
  expect(server.opened.length).toBe(2);
});

test("a stream that ends is told to all it had, and they may come again", async () => {
  const [one, other] = [new Page("a"), new Page("b")];
  const { server, shared } = await sharing(one, other);
  server.opened[0]!.say("hello", { commit: 1, definition: "d" });
  await server.opened[0]!.fail(new ServerError("Send a token.", 401));
  expect([one.told.at(-1), other.told.at(-1)]).toEqual([{ failed: "Send a token.", status: 401 }, { failed: "Send a token.", status: 401 }]);
  shared.join(one);
  await vi.advanceTimersByTimeAsync(50);
  expect(server.opened[1]!.wants).toEqual(["a"]);
});

test("where the stream with a new want is refused, only who waits for it is told", async () => {
  const [one, other] = [new Page("a"), new Page("nonsense")];
  const { server, shared } = await sharing(one);
  server.opened[0]!.say("hello", { commit: 1, definition: "d" });
  shared.join(other);
  await vi.advanceTimersByTimeAsync(50);
  await server.opened[1]!.fail(new ServerError("There is no such KPI.", 400));
  expect([one.told.length, other.told]).toEqual([1, [{ failed: "There is no such KPI.", status: 400 }]]);
  server.opened[0]!.say("points", points(2, 0));
  expect(one.told.length).toBe(2);
});

test("where the server refuses what several want, each is left to itself", async () => {
  const [one, other] = [new Page("a"), new Page("nonsense")];
  const { server } = await sharing(one, other);
  await server.opened[0]!.fail(new ServerError("There is no such KPI.", 404));
  expect([one.told, other.told]).toEqual([["alone"], ["alone"]]);
});

test("more than the server takes of one stream is not taken", async () => {
  const many = new Page(...Array.from({ length: 99 }, (_, place) => `k${place}`));
  const [fits, beyond] = [new Page("k1", "x"), new Page("y")];
  const { server } = await sharing(many, fits, beyond);
  expect([beyond.told, server.opened[0]!.wants.length]).toEqual([["alone"], 100]);
});
