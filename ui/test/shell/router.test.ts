// @vitest-environment jsdom
import { beforeEach, expect, test, vi } from "vitest";
import { kpiPath, routeOf, Router } from "../../src/shell/router.ts";

const AT = "http://127.0.0.1:8321";
const of = (path: string) => routeOf(new URL(path, AT));

const router = new Router(window); // one, as on the page: it listens as long as the document is there
const moved = vi.fn();
router.addEventListener("moved", moved);

beforeEach(() => {
  moved.mockClear();
  document.body.replaceChildren();
  window.history.replaceState(null, "", "/");
});

test.each([
  ["/", "overview", ""],
  ["/alerts", "alerts", ""],
  ["/dead-letters", "dead-letters", ""],
  ["/status", "status", ""],
  ["/tv", "tv", ""],
  ["/kpi/revenue", "kpi", "revenue"],
  ["/kpi/a%20%3Cb%3E%2F%3F", "kpi", "a <b>/?"],
  ["/dashboard/shop", "dashboard", "shop"],
  ["/kpi", "unknown", ""],
  ["/kpi/", "unknown", ""],
  ["/kpi/revenue/more", "unknown", ""],
  ["/metrics", "unknown", ""],
  ["/alerts/", "unknown", ""],
])("%s is %s of %j", (path, view, name) => {
  expect(of(path)).toMatchObject({ view, name });
});

test("what a view is to show is in its address", () => {
  expect([...of("/kpi/revenue?by=country&where=country%20%3D%20'DE'").query]).toEqual([["by", "country"], ["where", "country = 'DE'"]]);
});

test("the address of a KPI leads back to it, whatever its name", () => {
  const name = `<img src=x onerror="alert(1)">/?&`;
  const path = kpiPath(name, { where: "a = 'b&c'" });
  expect(of(path)).toMatchObject({ view: "kpi", name });
  expect(of(path).query.get("where")).toBe("a = 'b&c'");
  expect(kpiPath("revenue")).toBe("/kpi/revenue");
});

test("an address that is no text in UTF-8 is no page, and breaks nothing", () => {
  expect(of("/kpi/%E0%A4").view).toBe("unknown");
});

test("parameters are set beside others, and taken away where they are empty", () => {
  window.history.replaceState(null, "", "/kpi/revenue?by=country&step=1m");
  const length = window.history.length;
  router.set({ step: "1h", by: "", where: null });
  expect(window.location.search).toBe("?step=1h");
  expect([moved.mock.calls.length, window.history.length]).toEqual([1, length]);
  router.set({ step: null }, false);
  expect([window.location.search, window.history.length]).toEqual(["", length + 1]);
});

/** Clicks a link; says whether the browser would have followed it by itself. */
function click(attributes: Readonly<Record<string, string>>, init: MouseEventInit = {}): boolean {
  const link = document.body.appendChild(document.createElement("a"));
  for (const [name, value] of Object.entries(attributes)) link.setAttribute(name, value);
  const event = new MouseEvent("click", { bubbles: true, cancelable: true, composed: true, ...init });
  let byItself = false;
  const last = (each: Event): void => {
    byItself = !each.defaultPrevented;
    each.preventDefault(); // jsdom can't load a page
  };
  window.addEventListener("click", last, { once: true });
  link.dispatchEvent(event);
  return byItself;
}

test("a link to a view is followed without loading the page anew", () => {
  expect(click({ href: "/kpi/revenue?step=1m" })).toBe(false);
  expect([router.route.name, window.location.search, moved.mock.calls.length]).toEqual(["revenue", "?step=1m", 1]);
  const length = window.history.length;
  expect(click({ href: "/kpi/revenue?step=1m" })).toBe(false);
  expect(window.history.length).toBe(length); // it is there already
});

test.each<[string, Readonly<Record<string, string>>, MouseEventInit]>([
  ["in another tab", { href: "/alerts" }, { ctrlKey: true }],
  ["in another window", { href: "/alerts" }, { shiftKey: true }],
  ["by the middle button", { href: "/alerts" }, { button: 1 }],
  ["with a target", { href: "/alerts", target: "_blank" }, {}],
  ["that is a file", { href: "/alerts", download: "" }, {}],
  ["of another origin", { href: "https://example.com/alerts" }, {}],
  ["that is no view", { href: "/metrics" }, {}],
])("a link %s is the browser's", (_, attributes, init) => {
  expect(click(attributes, init)).toBe(true);
  expect([moved.mock.calls.length, router.route.view]).toEqual([0, "overview"]);
});

test("the way back is told", () => {
  window.dispatchEvent(new PopStateEvent("popstate"));
  expect(moved).toHaveBeenCalledOnce();
});
