import { expect, test } from "vitest";
import type { Source } from "../../src/server/types.ts";
import { engineText, type Job, jobWord, lagText, type Limit, limitsToMind, limitText, sourceWord } from "../../src/status/status.ts";
import { Numbers } from "../../src/words/numbers.ts";

const EN = ["en-GB"];
const numbers = new Numbers(EN);
const source = (some: Partial<Source> = {}): Source => ({
  source: "shop", kind: "kafka", time: "ts", fields: [], partitions: [], lag: 0, watermark: null, last_event: "2026-03-01T12:00:00Z", behind_seconds: 1, problem: null, ...some,
});
const job = (state: string): Job => ({ name: "livekpi-shop", state, restarts: null, last_checkpoint: null, detail: null });
const limit = (some: Partial<Limit> = {}): Limit => ({ limit: "series", kpi: "revenue", used: 10, most: 100, beyond: 0, ...some });

test("what a source's state is called", () => {
  expect(sourceWord(source())).toEqual(["fine", "Reading"]);
  expect(sourceWord(source({ last_event: null }))).toEqual(["watch", "No event yet"]);
  expect(sourceWord(source({ last_event: null, problem: "the broker is gone" }))).toEqual(["alert", "Problem"]);
});

test("lag is records for Kafka, and bytes for others", () => {
  expect(lagText("kafka", 1, numbers, EN)).toBe("1 record");
  expect(lagText("kafka", 12_345, numbers, EN)).toBe("12,345 records");
  expect(lagText("http", 12_345, numbers, EN)).toBe("12.3 kB");
  expect([lagText("http", 0, numbers, EN), lagText("kafka", null, numbers, EN)]).toEqual(["nothing", "not known"]);
});

test("what computes, and how its job is", () => {
  expect(["embedded", "flink", "spark", "odd"].map(engineText)).toEqual(["livekpi itself", "Apache Flink", "Apache Spark", "odd"]);
  expect(["running", "restarting", "unknown"].map((state) => jobWord(job(state)))).toEqual([["fine", "Running"], ["alert", "Restarting"], ["watch", "Not known"]]);
});

test("limits that are reached come before those that are near; others are not named", () => {
  const found = limitsToMind([limit(), limit({ kpi: "near", used: 80 }), limit({ kpi: "full", used: 100 }), limit({ kpi: "over", used: 0, beyond: 3 })]);
  expect(found.map(({ limit: { kpi }, word }) => [kpi, word[1]])).toEqual([["over", "Reached"], ["full", "Reached"], ["near", "Near"]]);
});

test("what a limit is of, and what becomes of the rest", () => {
  expect(limitText(limit({ used: 100, beyond: 1_234 }), numbers)).toContain("100 of 100 series of revenue. 1,234 events were counted as __other__.");
  expect(limitText(limit({ used: 90 }), numbers)).toContain("Further series are counted together");
  expect(limitText(limit({ limit: "viewers", kpi: null, used: 900, most: 1_000, beyond: 2 }), numbers)).toContain("900 of 1,000 viewers at once; 2 were sent away");
});
