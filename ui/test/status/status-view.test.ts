// @vitest-environment jsdom
import { expect, test } from "vitest";
import type { Source } from "../../src/server/types.ts";
import type { Status } from "../../src/status/status.ts";
import "../../src/status/status-view.ts";
import type { StatusView } from "../../src/status/status-view.ts";
import { all, aPage, shown, textOf } from "../shell/a-page.ts";

const STATUS: Status = {
  version: "1.2.3", started: "2026-03-01T12:00:00Z", ready: true, not_ready: {}, engine: "embedded", job: null, limits: [], store_bytes: 1_000, memory_bytes: 2_000,
};
const SOURCE: Source = {
  source: "shop", kind: "kafka", time: "ts", fields: [], lag: 5, watermark: "2026-03-01T12:59:00Z", last_event: "2026-03-01T12:59:30Z", behind_seconds: 30, problem: null,
  partitions: [{ partition: "0", position: 1_234, last_event: "2026-03-01T12:59:30Z", lag: 5 }, { partition: "1", position: 7, last_event: null, lag: null }],
};

async function view(status: Partial<Status>, sources: readonly Source[] | null = [SOURCE]): Promise<StatusView> {
  const answer = ({ path }: { path: string }): unknown => {
    if (path === "/v1/status") return { ...STATUS, ...status };
    if (sources === null) throw new Error("the store can't be read now");
    return { sources };
  };
  return shown<StatusView>("lk-status", { page: aPage({ answer }).page });
}

test("all is well", async () => {
  const text = textOf(await view({}));
  expect(text).toMatch(/Ready Events are taken/);
  expect(text).toMatch(/Computed by livekpi itself .*Version 1\.2\.3 .*Running for 1 hr/);
  expect(text).toMatch(/shop kafka Reading .*Last event 30 secs? ago .*Unread 5 records .*2 partitions .*1,234/);
});

test("what is not ready, and why", async () => {
  const problem = "the broker is gone";
  const text = textOf(await view({ ready: false, not_ready: { shop: problem } }, [{ ...SOURCE, problem }]));
  expect(text).toMatch(/Not ready .*shop : the broker is gone .*Problem the broker is gone/);
});

test("a job on a cluster", async () => {
  const job = { name: "livekpi-shop", state: "restarting", restarts: 3, last_checkpoint: "2026-03-01T12:58:00Z", detail: "a worker is gone" };
  expect(textOf(await view({ engine: "flink", job }))).toMatch(/Apache Flink .*livekpi-shop Restarting a worker is gone .*3 times .*Last checkpoint 2 mins? ago/);
});

test("limits that were reached", async () => {
  const text = textOf(await view({ limits: [{ limit: "series", kpi: "revenue", used: 100, most: 100, beyond: 7 }] }));
  expect(text).toMatch(/Reached 100 of 100 series of revenue\. 7 events were counted as __other__/);
});

test("where the store can't be read, what is in memory is said all the same", async () => {
  const element = await view({}, null);
  expect(textOf(element)).toContain("The store can't be read at present");
  expect(all(element, "lk-source")).toEqual([]);
});
