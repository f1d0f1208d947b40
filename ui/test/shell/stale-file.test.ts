// @vitest-environment jsdom
import { expect, test } from "vitest";
import "../../src/shell/stale-file.ts";
import type { StaleFile } from "../../src/shell/stale-file.ts";
import { all, aPage, shown, textOf } from "./a-page.ts";

const WHY = "shop.yaml:3:1: no KPI <img src=x> is defined";

async function told(stale: string | null, short: boolean): Promise<StaleFile> {
  return shown<StaleFile>("lk-stale-file", { page: aPage({ answer: () => ({ dashboards: [], stale }) }).page, short });
}

test("nothing is said while the file is in effect", async () => {
  const element = await told(null, false);
  expect([textOf(element), element.hasAttribute("stale")]).toEqual(["", false]);
});

test("in full it says why, as text; shortly, where that is said", async () => {
  const element = await told(WHY, false);
  expect(textOf(element)).toBe(`The file is not in effect. It has changed, and what ran before goes on: ${WHY}`);
  expect([all(element, "img"), element.hasAttribute("stale")]).toEqual([[], true]);
  const short = await told(WHY, true);
  expect(textOf(short)).toBe("The file has changed, but this is what it said before. Why");
  expect(all(short, "a").map((link) => link.getAttribute("href"))).toEqual(["/status"]);
});
