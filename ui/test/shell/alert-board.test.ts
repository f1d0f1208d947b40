import { afterEach, expect, test, vi } from "vitest";
import type { Api } from "../../src/server/api.ts";
import type { Connection, Live } from "../../src/server/live.ts";
import type { Alert } from "../../src/server/types.ts";
import { AlertBoard } from "../../src/shell/alert-board.ts";
import { anAlert } from "../alerts/alert.ts";

/** A server whose answers and stream the test writes. */
class Server {
  readonly answers: ((alerts: readonly Alert[] | Error) => Promise<void>)[] = [];
  readonly #listeners: Record<string, (detail: never) => void> = {};
  readonly board: AlertBoard;
  readonly live = { connection: "live" };
  readonly changed = vi.fn();

  constructor() {
    const alerts = (): Promise<readonly Alert[]> =>
      new Promise((resolve, reject) => {
        this.answers.push(async (given) => {
          if (given instanceof Error) reject(given);
          else resolve(given);
          for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
        });
      });
    const on = (name: string, listener: (detail: never) => void): void => void (this.#listeners[name] = listener);
    this.board = new AlertBoard({ alerts } as unknown as Api, Object.assign(this.live, { on }) as unknown as Live);
    this.board.addEventListener("changed", this.changed);
  }

  stream(alert: Alert): void {
    this.#listeners["alert"]?.(alert as never);
  }

  connection(connection: Connection): void {
    this.#listeners["connection"]?.(connection as never);
  }

  get keys(): (string | null)[] {
    return this.board.alerts.map((alert) => alert.key);
  }
}

afterEach(() => void vi.useRealTimers());

const DE = anAlert({ key: "de", series: { country: "DE" }, started: "2026-03-01T12:00:00Z" });
const AT = anAlert({ key: "at", series: { country: "AT" }, started: "2026-03-01T12:05:00Z" });

test("it holds what the server lists, the newest first", async () => {
  const server = new Server();
  void server.board.load();
  await server.answers[0]!([DE, AT]);
  expect(server.keys).toEqual(["at", "de"]);
  expect(server.changed).toHaveBeenCalledOnce();
});

test("the stream adds, replaces and takes away", async () => {
  const server = new Server();
  server.stream(DE);
  server.stream(AT);
  server.stream({ ...DE, value: 7 });
  expect(server.board.alerts.map((alert) => [alert.key, alert.value])).toEqual([["at", 1], ["de", 7]]);
  server.stream({ ...AT, ended: "2026-03-01T12:09:00Z", status: "resolved" });
  expect(server.keys).toEqual(["de"]);
  expect(server.changed).toHaveBeenCalledTimes(4);
});

test("one that was pending and fires is there once", async () => {
  const server = new Server();
  void server.board.load();
  await server.answers[0]!([{ ...DE, key: null, status: "pending" }, { ...AT, key: null, status: "pending" }]);
  server.stream(DE);
  expect(server.board.alerts.map((alert) => [alert.key, alert.status])).toEqual([[null, "pending"], ["de", "firing"]]);
});

test("while something is pending it is asked whether it still is, unless the page is cut off", async () => {
  vi.useFakeTimers();
  const server = new Server();
  const pending = { ...DE, key: null, status: "pending" };
  void server.board.load();
  await server.answers[0]!([pending]);
  vi.advanceTimersByTime(10_000);
  await server.answers[1]!(new Error("not now")); // what was pending may be so still
  vi.advanceTimersByTime(10_000);
  await server.answers[2]!([]);
  expect(server.board.alerts).toEqual([]);
  vi.advanceTimersByTime(60_000);
  expect(server.answers.length).toBe(3);
  void server.board.load();
  await server.answers[3]!([pending]);
  server.live.connection = "paused";
  vi.advanceTimersByTime(60_000);
  expect(server.answers.length).toBe(4);
});

test("after a break all are asked for anew", async () => {
  const server = new Server();
  server.stream(DE);
  server.connection("broken");
  expect(server.answers.length).toBe(0);
  server.connection("live");
  await server.answers[0]!([AT]);
  expect(server.keys).toEqual(["at"]);
});

test("an answer that is overtaken by a later one, or fails, changes nothing", async () => {
  const server = new Server();
  void server.board.load();
  void server.board.load();
  await server.answers[1]!([DE]);
  await server.answers[0]!([AT]);
  expect(server.keys).toEqual(["de"]);
  void server.board.load();
  await server.answers[2]!(new Error("the server is gone"));
  expect(server.keys).toEqual(["de"]);
});

test("what the stream tells while the list is asked for is not lost to an older list", async () => {
  const server = new Server();
  void server.board.load();
  server.stream(AT); // began after the list was made
  await server.answers[0]!([DE]);
  expect(server.keys).toEqual(["at", "de"]);
  void server.board.load();
  server.stream({ ...DE, ended: "2026-03-01T12:09:00Z" });
  await server.answers[1]!([DE, AT]);
  expect(server.keys).toEqual(["at"]);
});

test("those of some rules", () => {
  const server = new Server();
  server.stream(DE);
  server.stream({ ...AT, rule: "few_orders" });
  expect(server.board.of(["few_orders"]).map((alert) => alert.key)).toEqual(["at"]);
  expect(server.board.of([])).toEqual([]);
});
