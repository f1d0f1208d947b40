// @vitest-environment jsdom
import { beforeAll, expect, test } from "vitest";
import "../../src/alerts/alerts-view.ts";
import type { AlertsView } from "../../src/alerts/alerts-view.ts";
import { routeOf } from "../../src/shell/router.ts";
import { all, aPage, type Given, press, settled, shown, textOf } from "../shell/a-page.ts";
import { aKpi, anAlert, WHO } from "./alert.ts";

beforeAll(() => {
  // jsdom has the element, but does not open it
  HTMLDialogElement.prototype.showModal = function () { this.open = true; };
  HTMLDialogElement.prototype.close = function () { this.open = false; };
});

async function view(given: Given, path = "/alerts") {
  const { page, asked } = aPage(given);
  const element = await shown<AlertsView>("lk-alerts", { page, route: routeOf(new URL(path, "http://localhost")) });
  return { element, asked };
}

const SERIES = Array.from({ length: 200 }, (_, index) =>
  anAlert({ key: `k${index}`, series: { service: `s${index}` }, value: index, summary: `s${index} is bad` }),
);

test("200 series are one group that names the worst; the others are shown on demand", async () => {
  const { element } = await view({ alerts: SERIES, kpis: [aKpi()] });
  expect(all(element, "lk-alert-group").length).toBe(1);
  expect(textOf(element)).toContain("200 series fire");
  expect(textOf(element)).toContain("Worst of 200: service s199");
  expect(all(element, "lk-alert-line").length).toBe(1);
  await press(element, "Show all 200");
  expect(all(element, "lk-alert-line").length).toBe(101);
  await press(element, "Show 99 more of 99");
  expect(all(element, "lk-alert-line").length).toBe(200);
}, 30_000); // jsdom takes its time over 200 elements where the machine is busy

test("what a stranger wrote is text, and a runbook that is a script is no link", async () => {
  const evil = `<img src=x onerror="alert(1)">`;
  const alert = anAlert({ title: evil, summary: evil, series: { service: evil }, runbook: "javascript:alert(1)", silenced_by: { ...WHO, reason: evil } });
  const { element } = await view({ alerts: [alert], kpis: [aKpi({ title: evil })] });
  expect(all(element, "img")).toEqual([]);
  expect(textOf(element)).toContain(evil);
  expect(all(element, "a").map((link) => new URL((link as HTMLAnchorElement).href).protocol)).not.toContain("javascript:");
});

test("who may only read sees who looks after what, and no button that would change it", async () => {
  const { element } = await view({ alerts: [anAlert({ acknowledged_by: WHO })], kpis: [aKpi()], scopes: ["read"] });
  expect(textOf(element)).toMatch(/Acknowledged by Ann until .*: a release/);
  expect(all(element, "lk-alert-group button")).toEqual([]);
});

test("a silence of one series is sent with its author, who is remembered; what the server refuses is said", async () => {
  let refused = true;
  const answer = (): unknown => {
    if (refused) throw new Error("for: too long");
    return {};
  };
  const { element, asked } = await view({ alerts: [anAlert({ series: { service: "cart" } })], kpis: [aKpi()], answer });
  await press(element, "Silence");
  const [dialog] = all(element, "dialog") as [HTMLDialogElement];
  expect(dialog.open).toBe(true);
  (dialog.querySelector("[name=author]") as HTMLInputElement).value = "Ann";
  (dialog.querySelector("[name=reason]") as HTMLTextAreaElement).value = "a release";
  const submit = async (): Promise<void> => {
    dialog.querySelector("form")!.dispatchEvent(new SubmitEvent("submit", { cancelable: true }));
    await settled();
  };
  await submit();
  expect([dialog.open, textOf(dialog.querySelector("[role=alert]")!)]).toEqual([true, "for: too long"]);
  refused = false;
  await submit();
  expect(dialog.open).toBe(false);
  expect(asked.at(-1)).toMatchObject({
    method: "POST", path: "/v1/silences", body: { rule: "errors_high", series: { service: "cart" }, author: "Ann", reason: "a release", for: "1h" },
  });
  expect((element.page.preferences as { author: string }).author).toBe("Ann");
});

test("a silence is ended", async () => {
  const word = { number: 7, rule: "errors_high", series: {}, author: "Ann", reason: "a release", from: "2026-03-01T12:00:00Z", until: "2026-03-01T15:00:00Z" };
  const answer = ({ path }: { path: string }): unknown => (path === "/v1/silences" ? { silences: [word] } : { acknowledgements: [] });
  const { element, asked } = await view({ answer }, "/alerts?part=said");
  expect(textOf(element)).toMatch(/errors_high .* 2 hrs? left .*Ann a release/);
  await press(element, "End now");
  expect(asked.some(({ method, path }) => method === "DELETE" && path === "/v1/silences/7")).toBe(true);
});

test("the history says how receivers took the messages", async () => {
  const past = { ...anAlert({ status: "resolved", ended: "2026-03-01T12:20:00Z" }), messages: [3] };
  const receivers = [{ receiver: "hook", state: "given_up", attempts: 4, at: "2026-03-01T12:01:00Z", reason: "HTTP 400" }];
  const message = { number: 3, rule: "errors_high", at: "2026-03-01T12:00:05Z", status: "firing", firing: 1, resolved: 0, acknowledged_by: null, receivers };
  const { element, asked } = await view({ answer: () => ({ alerts: [past], messages: [message] }) }, "/alerts?part=history&rule=errors_high&from=-1h");
  expect(Object.fromEntries(asked.at(-1)!.query)).toEqual({ from: "-1h", rule: "errors_high", limit: "100" });
  expect(textOf(element)).toMatch(/for 20 mins? .*1 message: 1 refused .*hook refused .*4 attempts : HTTP 400|for 20 mins? .*1 message: 1 refused .*hook refused .*4 attempts: HTTP 400/);
});

test("a rule is tried on history", async () => {
  const tried = {
    rule: "errors_high", severity: "critical", problem: null, from: "2026-03-01T00:00:00Z", to: "2026-03-01T12:00:00Z", pages: 2, fired_share: 0.25,
    median_seconds: 60, longest_seconds: 120, warnings: [],
    alerts: [{ series: {}, started: "2026-03-01T01:00:00Z", ended: "2026-03-01T01:02:00Z", known: "2026-03-01T01:00:30Z", value: 0.5, silenced: false }],
  };
  const { element, asked } = await view({ kpis: [aKpi()], answer: () => ({ rules: [tried] }) }, "/alerts?part=try&from=-7d");
  await press(element, "Try it");
  expect(asked.at(-1)).toMatchObject({ method: "POST", path: "/v1/backtest", body: { rules: ["errors_high"], from: "-7d" } });
  expect(textOf(element)).toMatch(/errors_high : 2 messages , 1 alert|errors_high: 2 messages, 1 alert/);
  expect(textOf(element)).toMatch(/fired for 25 ?% of that time/);
});

test("where nothing fires that is said, with the rules that watch; and without rules, how to write one", async () => {
  expect(textOf((await view({ kpis: [aKpi()] })).element)).toMatch(/Nothing fires\. .*One rule watches/);
  expect(textOf((await view({ kpis: [aKpi({ watched: [] })] })).element)).toMatch(/No rule watches the numbers yet.*when: orders < 5/);
});
