// @vitest-environment jsdom
import type { ReactiveController } from "lit";
import { expect, test } from "vitest";
import { Asked } from "../../src/kpi/asked.ts";
import { stateOf } from "../../src/kpi/state.ts";
import { aKpi } from "../alerts/alert.ts";
import { aPage, settled } from "../shell/a-page.ts";

/** An element that asks, with a server whose greatest slice is another with each answer. */
function asking(none = false) {
  const world = { none };
  const commits: (() => void)[] = [];
  const { page, asked } = aPage({ answer: ({ query }) => ({ points: query.get("step") === "all" && !world.none ? [{ time: "", value: 1, final: true, service: `s${totals()}` }] : [] }) });
  Object.assign(page.live, { on: (name: string, listener: () => void) => (name === "commit" && commits.push(listener), () => undefined) });
  const totals = (): number => asked.filter(({ query }) => query.get("step") === "all").length;
  const controllers: ReactiveController[] = [];
  const host = { addController: (each: ReactiveController) => void controllers.push(each), removeController: () => undefined, requestUpdate: () => undefined, updateComplete: Promise.resolve(true) };
  const found = new Asked(host, () => page);
  const show = async (kpi: string, query: string, wait = true): Promise<readonly unknown[] | undefined> => {
    const about = aKpi({ kpi, by: ["service", "country"], watched: [] });
    found.about = { kpi: about, state: stateOf(new URLSearchParams(query), about), step: "1m", timezone: "UTC", heard_ms: null };
    controllers.forEach((each) => each.hostUpdate?.());
    if (wait) await settled();
    return found.ranked()?.top;
  };
  const commit = async (): Promise<void> => {
    commits.forEach((each) => each());
    await settled();
  };
  return { world, commit, show, totals, end: () => controllers.forEach((each) => each.hostDisconnected?.()) };
}

test("another range has the ranking of the one before until its own is there", async () => {
  const { show, totals, end } = asking();
  expect(await show("a", "by=service", false)).toBeUndefined();
  expect(await show("a", "by=service")).toEqual(["s1"]);
  expect(await show("a", "by=service&span=1w", false)).toEqual(["s1"]);
  expect(await show("a", "by=service&span=1w")).toEqual(["s2"]);
  expect(totals()).toBe(2);
  end();
});

test.each([["another KPI", "b", "by=service"], ["another dimension", "a", "by=country"], ["another number of lines", "a", "by=service&top=3"], ["a filter", "a", 'by=service&only={"country":"DE"}']])(
  "of %s no other ranking counts",
  async (_, kpi, query) => {
    const { show, end } = asking();
    await show("a", "by=service");
    expect(await show(kpi, query, false)).toBeUndefined();
    expect(await show(kpi, query)).toHaveLength(1);
    end();
  },
);

test("where there was no slice yet, a commit may have brought one; where there are some, they stay", async () => {
  const { world, commit, show, totals, end } = asking(true);
  expect(await show("a", "by=service")).toEqual([]);
  await commit();
  expect(totals()).toBe(2);
  world.none = false;
  await commit();
  await commit();
  expect([await show("a", "by=service"), totals()]).toEqual([["s3"], 3]);
  end();
});
