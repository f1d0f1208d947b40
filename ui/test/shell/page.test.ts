// @vitest-environment jsdom
import { expect, test } from "vitest";
import { timesOf } from "../../src/shell/page.ts";
import { kpi } from "../overview/samples.ts";
import { aPage } from "./a-page.ts";

const TOKYO = kpi({ timezone: "Asia/Tokyo" });

test("times are in the viewer's zone, or in the KPI's where they like it better, and are made once", () => {
  const { page } = aPage();
  const own = timesOf(page, TOKYO);
  expect(own.timezone).toBe(Intl.DateTimeFormat().resolvedOptions().timeZone);
  expect(timesOf(page)).toBe(own);
  const preferring = { ...page, preferences: { zone: "kpi" } as typeof page.preferences };
  expect(timesOf(preferring, TOKYO).timezone).toBe("Asia/Tokyo");
  expect(timesOf(preferring, TOKYO)).toBe(timesOf(preferring, TOKYO));
  expect(timesOf(preferring).timezone).toBe(own.timezone);
});
