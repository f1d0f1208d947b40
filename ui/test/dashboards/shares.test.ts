import { expect, test } from "vitest";
import { fit, weightOf } from "../../src/dashboards/shares.ts";
import type { KpiTile, Row } from "../../src/server/types.ts";

const tile = (size: KpiTile["size"]): KpiTile => ({ kpi: "orders", title: null, size, by: null, top: 5, span: null });
const row = (...tiles: Row["tiles"]): Row => ({ title: null, tiles });
const FIVE = row(...Array.from({ length: 5 }, () => tile("medium")));
const TEXT = row({ text: "Call somebody.", size: "wide" });

test("a row is as heavy as the highest tile of each of its lines", () => {
  expect(weightOf(FIVE, 116)).toBe(12.5);
  expect(weightOf(row(tile("small"), tile("large")), 116)).toBe(17);
  expect(weightOf(TEXT, 116)).toBe(0);
  // two beside each other, and one below; a wide one has a line of its own
  expect(weightOf(row(tile("medium"), tile("medium"), tile("large")), 60)).toBe(29.5);
  expect(weightOf(row(tile("small"), tile("wide")), 116)).toBe(29.5);
});

test("tiles narrower than they would like to be stand below each other", () => {
  expect(weightOf(row(tile("large"), tile("large")), 20)).toBe(34);
});

test("four rows of five fit on a wall and on a desk, not on a laptop or a phone", () => {
  const rows = [FIVE, FIVE, FIVE, FIVE];
  expect(fit(rows, 2560 / 22 - 2, 1440 / 22)).toBe(true);
  expect(fit(rows, 1920 / 16 - 2, 1080 / 16)).toBe(true);
  expect(fit(rows, 1280 / 16 - 2, 800 / 16)).toBe(false);
  expect(fit(rows, 360 / 16 - 2, 800 / 16)).toBe(false);
});

test("titles and texts take their part", () => {
  expect(fit([FIVE], 116, 22)).toBe(true);
  expect(fit([{ ...FIVE, title: "Shop" }], 116, 22)).toBe(false);
  expect(fit([FIVE, TEXT], 116, 22)).toBe(false);
  expect(fit([FIVE, TEXT], 116, 28)).toBe(true);
});
