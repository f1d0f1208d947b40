import { expect, test } from "vitest";
import { arranged } from "../../src/overview/arrange.ts";
import { alert, kpi } from "./samples.ts";

const KPIS = [
  kpi({ kpi: "visits", title: "Visits" }),
  kpi({ kpi: "orders", title: "orders", watched: ["a"], owner: "Ann" }),
  kpi({ kpi: "errors", title: "Error rate", watched: ["b"], description: "Of all orders." }),
  kpi({ kpi: "stock", title: "Stock", watched: ["c"] }),
];
const names = (...given: Parameters<typeof arranged>) => arranged(...given).map((each) => each.kpi);

test("without a wish it is as in the file", () => {
  expect(arranged(KPIS, "", "file", [])).toBe(KPIS);
});

test("all words must be somewhere, however written", () => {
  expect(names(KPIS, "ORDERS", "file", [])).toEqual(["orders", "errors"]);
  expect(names(KPIS, " rate orders ", "file", [])).toEqual(["errors"]);
  expect(names(KPIS, "ann", "file", [])).toEqual(["orders"]);
  expect(names(KPIS, "nothing such", "file", [])).toEqual([]);
});

test("by title", () => {
  expect(names(KPIS, "", "title", [])).toEqual(["errors", "orders", "stock", "visits"]);
});

test("the worst come first, and equals stay as in the file", () => {
  const alerts = [alert({ rule: "c", severity: "warning" }), alert({ rule: "b" })];
  expect(names(KPIS, "", "state", alerts)).toEqual(["errors", "stock", "orders", "visits"]);
});
