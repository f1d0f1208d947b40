// @vitest-environment jsdom
import { beforeAll, expect, test, vi } from "vitest";
import "../../src/overview/card.ts";
import type { Card } from "../../src/overview/card.ts";
import { all, aPage, type Asked, type Given, NOW_MS, screen, shown, textOf } from "../shell/a-page.ts";
import { alert, kpi, pace } from "./samples.ts";

beforeAll(screen);

const MINUTE_MS = 60_000;
const REVENUE = kpi({ kpi: "revenue", title: "Revenue", unit: "EUR", target: { "1d": 1_000 }, paced: true, watched: ["few_orders"] });
/** Three minutes that are over, and the one that is not. */
const minutes = (until_ms: number, values: readonly number[]): unknown[] =>
  values.map((value, index) => ({ time: new Date(until_ms - (values.length - index) * MINUTE_MS).toISOString(), value, final: index < 2 }));

function answer({ path, query }: Asked): unknown {
  if (path.endsWith("/pace")) return { pace: [pace({ ratio: 0.8, high: 2_000 })] };
  const from_ms = Date.parse(query.get("from") ?? "");
  if (from_ms < NOW_MS - 6 * 86_400_000) return { commit: 1, points: [] }; // nothing a week ago
  if (from_ms < NOW_MS - 12 * 3_600_000) return { commit: 1, points: minutes(NOW_MS - 86_400_000 + MINUTE_MS, [100, 100, 100, 100]) };
  return { commit: 1, points: minutes(NOW_MS + MINUTE_MS, [10, 20, 110, 3]) };
}

async function card(given: Given = {}, about = REVENUE): Promise<Card> {
  return shown<Card>("lk-card", { page: aPage({ answer, ...given }).page, kpi: about });
}

test("it says value with unit, of when, change, target, what is not over yet, and how it stands", async () => {
  const element = await card();
  await vi.waitFor(() => expect(textOf(element)).toContain("better than yesterday"), 3_000);
  const text = textOf(element);
  expect(text).toMatch(/^Revenue Fine €110\.00 last minute, provisional ▲ \+10% better than yesterday/);
  expect(text).toContain("heading for 80% of €1,000.00");
  expect(text).toContain("this minute so far €3.00");
  expect(all(element, "svg[role=img]")[0]!.getAttribute("aria-label")).toContain("from €10.00 to €110.00");
  expect(all(element, "a").map((link) => link.getAttribute("href"))).toEqual(["/kpi/revenue"]);
});

test("what fires is said in a word and why, not by colour alone", async () => {
  const element = await card({ alerts: [alert({ title: "Few orders" })] });
  expect(textOf(element)).toMatch(/^Revenue Alert : Few orders/);
  expect(all(element, "article.alert")).toHaveLength(1);
});

test("that nothing judges it is said only where something of the file is judged", async () => {
  const plain = kpi();
  expect(textOf(await card({ kpis: [plain, REVENUE] }, plain))).toContain("No rule");
  expect(textOf(await card({ kpis: [plain] }, plain))).not.toContain("No rule");
  // no number is another matter
  expect(textOf(await card({ kpis: [plain], answer: () => ({ commit: 1, points: [] }) }, plain))).toContain("No data");
});

test("why there is no number is said in its place, and a title is never HTML", async () => {
  const evil = "<img src=x onerror=alert(1)>";
  const refuses = (): unknown => {
    throw new Error("the store can't be read now");
  };
  const element = await card({ answer: refuses }, kpi({ title: evil }));
  expect(textOf(element)).toContain(`${evil} –`);
  expect(textOf(element)).toContain("the store can't be read now");
  expect(all(element, "img")).toEqual([]);
});
