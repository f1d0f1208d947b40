import { expect, test } from "vitest";
import { everyOf, slidesOf } from "../../src/dashboards/slides.ts";
import type { Dashboard, KpiTile, TextTile } from "../../src/server/types.ts";
import { kpi } from "../overview/samples.ts";

const KPIS = Array.from({ length: 8 }, (_, index) => kpi({ kpi: `k${index}`, title: `K ${index}` }));
const tile = (name: string, title: string | null = null): KpiTile => ({ kpi: name, title, size: "medium", by: null, top: 5, span: null });
const dashboard = (name: string, ...rows: (KpiTile | TextTile)[][]): Dashboard => ({ name, title: name.toUpperCase(), rows: rows.map((tiles) => ({ title: null, tiles })) });
const shown = (...given: Parameters<typeof slidesOf>) => slidesOf(...given).map(({ title, tiles }) => [title, tiles.map((each) => each.title)]);

test("each dashboard is a slide with each of its KPIs once, texts left out", () => {
  const dashboards = [dashboard("a", [tile("k0"), { text: "x", size: "small" }], [tile("k1", "Mine"), tile("k0", "Again")]), dashboard("b", [tile("k2")])];
  expect(shown(dashboards, KPIS, null)).toEqual([["A", ["K 0", "Mine"]], ["B", ["K 2"]]]);
  expect(shown(dashboards, KPIS, "b")).toEqual([["B", ["K 2"]]]);
});

test("what does not fit goes on further slides, about equally full", () => {
  expect(shown([dashboard("a", KPIS.slice(0, 7).map((each) => tile(each.kpi)))], KPIS, null)).toEqual([
    ["A (1 of 2)", ["K 0", "K 1", "K 2", "K 3"]],
    ["A (2 of 2)", ["K 4", "K 5", "K 6"]],
  ]);
});

test("without a dashboard all KPIs are shown", () => {
  expect(slidesOf([], KPIS, null).map((slide) => slide.tiles.length)).toEqual([4, 4]);
  expect(shown([dashboard("a", [tile("gone")])], KPIS.slice(0, 1), null)).toEqual([["All KPIs", ["K 0"]]]);
  expect(slidesOf([], [], null)).toEqual([{ key: '["All KPIs"]', title: "All KPIs", tiles: [] }]);
});

test("a slide's key is its own", () => {
  const keys = slidesOf([dashboard("a", KPIS.map((each) => tile(each.kpi)))], KPIS, null).map((slide) => slide.key);
  expect(new Set(keys).size).toBe(2);
});

test.each([[null, 20_000], ["5", 5_000], ["0", 3_000], ["1e9", 3_600_000], ["soon", 20_000], ["", 20_000], [" ", 20_000]])("every=%s is %d ms", (text, every_ms) => {
  expect(everyOf(text)).toBe(every_ms);
});
