import { expect, test } from "vitest";
import { frameOf, linesOf, wantsOf } from "../../src/dashboards/lines.ts";
import type { Feed } from "../../src/server/feed.ts";
import type { KpiTile, Point } from "../../src/server/types.ts";
import { kpi, point } from "../overview/samples.ts";

const TILE: KpiTile = { kpi: "orders", title: null, size: "large", by: null, top: 2, span: null };
const SPLIT: KpiTile = { ...TILE, by: "country" };
const RANKING = { top: ["DE", "FR"], others: 3 };
const feed = (points: readonly Point[]): Feed => ({ points }) as unknown as Feed;

test("a tile shows an hour unless the file says otherwise, and more where buckets are long", () => {
  expect(frameOf(TILE, kpi())).toEqual({ span_ms: 3_600_000, step: "30s", step_ms: 30_000, timezone: null });
  expect(frameOf({ span: "1w" }, kpi())).toMatchObject({ span_ms: 604_800_000, step: "1h", timezone: "Europe/Berlin" });
  expect(frameOf(TILE, kpi({ every: "1d", over: "1d" }))).toMatchObject({ span_ms: 60 * 86_400_000, step: "1d", timezone: null });
});

test("a tile that is not split wants the whole", () => {
  const frame = frameOf(TILE, kpi());
  expect(wantsOf(TILE, frame, null)).toEqual({ whole: { kpi: "orders", step: "30s" } });
});

test("a split wants the greatest slices and, merged by the server, the rest", () => {
  const frame = frameOf(SPLIT, kpi());
  expect(wantsOf(SPLIT, frame, null)).toEqual({});
  expect(wantsOf(SPLIT, frame, { top: [], others: 0 })).toEqual({});
  expect(wantsOf(SPLIT, frame, RANKING)).toEqual({
    slices: { kpi: "orders", step: "30s", by: ["country"], where: `"country" in ('DE', 'FR')` },
    rest: expect.objectContaining({ kpi: "orders", step: "30s" }),
  });
  expect(Object.keys(wantsOf(SPLIT, frame, { ...RANKING, others: 0 }))).toEqual(["slices"]);
});

test("the lines are the slices in their order, then the rest", () => {
  const slices = [{ ...point(0, 1), country: "FR" }, { ...point(0, 2), country: "DE" }];
  const lines = linesOf(SPLIT, "Orders", { slices: feed(slices), rest: feed([point(0, 9)]) }, RANKING);
  expect(lines.map(({ name, kind, points }) => [name, kind, points.map((each) => each.value)])).toEqual([
    ["DE", "slice", [2]],
    ["FR", "slice", [1]],
    ["the rest (3)", "rest", [9]],
  ]);
});

test("the whole is a line of the tile's title", () => {
  const points = [point(0, 1), point(1, 2)];
  expect(linesOf(TILE, "Orders", { whole: feed(points) }, null)).toEqual([{ name: "Orders", kind: "whole", points }]);
});

test("without an answer there is no line", () => {
  expect(linesOf(SPLIT, "Orders", {}, null)).toEqual([]);
});
