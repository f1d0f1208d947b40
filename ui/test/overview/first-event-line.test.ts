import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { curlLine, type Door } from "../../src/overview/first-event-line.ts";

const DOOR: Door = { origin: "http://127.0.0.1:8321", source: "shop", fields: [], token: false };

/** What a shell makes of a line: the words that curl would get. */
function shell(line: string): string[] {
  const printed = execFileSync("sh", ["-c", `curl() { for word in "$@"; do printf '%s\\0' "$word"; done; }; ${line}`], { env: { ...process.env, LIVEKPI_TOKEN: "secret" } });
  return printed.toString().split("\0").slice(0, -1);
}

function event(fields: Record<string, string>, values: string[] = []): Record<string, unknown> {
  const line = curlLine({ ...DOOR, fields: Object.entries(fields).map(([name, type]) => ({ name, type })) }, values.map((value) => ({ value })));
  const words = shell(line);
  expect(words.slice(0, 2)).toEqual(["http://127.0.0.1:8321/v1/events/shop", "-d"]);
  return JSON.parse(words[2] ?? "") as Record<string, unknown>;
}

test("a shell makes an event of each type out of it", () => {
  const found = event({ ts: "timestamp", user: "string", n: "integer", x: "number", paid: "decimal(18, 2)", whole: "decimal(4, 0)", small: "decimal(2, 2)", ok: "boolean", cart: "json" });
  expect(found).toMatchObject({ user: "user", n: 200, x: 12.5, paid: 12.5, whole: 12, small: 0.5, ok: true, cart: {} });
  expect(Math.abs(Date.parse(String(found["ts"])) - Date.now())).toBeLessThan(60_000);
});

test.each([["epoch_s", 1_000], ["epoch_ms", 1], ["epoch_us", 0.001], ["epoch_ns", 0.000_001]])("a time in %s is now", (format, unit_ms) => {
  const found = event({ ts: `timestamp(${format})` });
  expect(Math.abs(Number(found["ts"]) * unit_ms - Date.now())).toBeLessThan(60_000);
});

test("a time by a pattern is written by it", () => {
  expect(event({ ts: "timestamp(%d/%b/%Y:%H:%M:%S %z)" })["ts"]).toMatch(/^\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d \+0000$/);
});

test("a text that a KPI looks for is the one sent, and an id is new each time", () => {
  const found = event({ event: "string", kind: "string", user_id: "string" }, ["sum(x) filter (where other.event = 'view' and event = 'it''s bought')"]);
  expect(found).toMatchObject({ event: "it's bought", kind: "kind" });
  expect(found["user_id"]).toMatch(/^\d{10,}$/);
});

test("what may be absent is sent where a KPI reads it", () => {
  expect(Object.keys(event({ amount: "optional number", sku: "optional string" }, ["sum(amount)"]))).toEqual(["amount"]);
});

test("names that a shell or JSON would read differently are safe", () => {
  expect(event({ "it's $(id) \"a\" `b` \\": "boolean" })).toEqual({ "it's $(id) \"a\" `b` \\": true });
  const line = curlLine({ ...DOOR, source: "a b'c" }, []);
  expect(shell(line)[0]).toBe("http://127.0.0.1:8321/v1/events/a%20b'c");
});

test("a token comes from the shell's environment", () => {
  const line = curlLine({ ...DOOR, token: true }, []);
  expect(shell(line)).toEqual(["http://127.0.0.1:8321/v1/events/shop", "-H", "Authorization: Bearer secret", "-d", "{}"]);
});
