// @vitest-environment jsdom
import { expect, test } from "vitest";
import { type KpiState, stateOf } from "../../src/kpi/state.ts";
import "../../src/kpi/toolbar.ts";
import type { Toolbar } from "../../src/kpi/toolbar.ts";
import { aKpi } from "../alerts/alert.ts";
import { all, press, settled, shown, textOf } from "../shell/a-page.ts";

const KPI = aKpi({ by: ["service", "country"] });

async function toolbar(query = "") {
  const chosen: Partial<KpiState>[] = [];
  const element = await shown<Toolbar>("lk-kpi-toolbar", { kpi: KPI, state: stateOf(new URLSearchParams(query), KPI), step: "10s", shown: [0, 3_600_000] });
  element.addEventListener("choose", (event) => chosen.push((event as CustomEvent<Partial<KpiState>>).detail));
  return { element, chosen };
}

async function select(element: Element, label: string, value: string): Promise<void> {
  const found = all(element, "label").find((each) => textOf(each).startsWith(label))!.querySelector("select")!;
  found.value = value;
  found.dispatchEvent(new Event("change"));
  await settled();
}

test("each choice is told as the part of what is shown that it changes", async () => {
  const { element, chosen } = await toolbar();
  await press(element, "6h");
  await select(element, "Split by", "country");
  await select(element, "Compare", "1w");
  await select(element, "Step", "1m");
  await select(element, "Step", "");
  expect(chosen).toEqual([{ window: { span_ms: 21_600_000 } }, { by: "country" }, { compare: "1w" }, { step: "1m" }, { step: null }]);
});

test("what a narrow screen hides is counted on its button, which opens it", async () => {
  const { element } = await toolbar();
  const button = all(element, "button.options")[0] as HTMLButtonElement;
  expect([textOf(button), button.getAttribute("aria-expanded")]).toEqual(["Options", "false"]);
  await press(element, "Options");
  expect([button.getAttribute("aria-expanded"), all(element, `#${button.getAttribute("aria-controls")}`)[0]!.classList.contains("open")]).toEqual(["true", true]);
  const other = await toolbar("by=country&compare=1d&step=1m&from=2026-03-01T10:00:00Z&to=2026-03-01T12:00:00Z");
  expect(textOf(all(other.element, "button.options")[0]!)).toBe("Options (4)");
  const plain = await toolbar("expected=no");
  expect(textOf(all(plain.element, "button.options")[0]!)).toBe("Options (1)");
});

test("a slice that alone is shown is a button that shows all again, whatever it is called", async () => {
  const evil = "<img src=x>";
  const { element, chosen } = await toolbar(`only=${encodeURIComponent(JSON.stringify({ service: evil, country: null }))}`);
  expect(all(element, "img")).toEqual([]);
  expect(all(element, ".chips button").map((each) => textOf(each))).toEqual([`service : ${evil} ✕`, "country : ∅ (none) ✕"]);
  (all(element, ".chips button")[0] as HTMLButtonElement).click();
  expect(chosen).toEqual([{ filters: [{ dimension: "country", value: null }] }]);
});
