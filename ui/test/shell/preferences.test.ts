// @vitest-environment jsdom
import { beforeEach, expect, test, vi } from "vitest";
import { Preferences } from "../../src/shell/preferences.ts";

const root = document.documentElement;
const made = (): Preferences => new Preferences(window.localStorage, root);

beforeEach(() => window.localStorage.clear());

test("without a choice, colours are the system's and times the viewer's", () => {
  const preferences = made();
  expect([preferences.theme, preferences.zone, preferences.author]).toEqual(["system", "viewer", ""]);
  expect(root.dataset["theme"]).toBeUndefined();
});

test("a choice holds at once, is told, and holds the next time", () => {
  const preferences = made();
  const changed = vi.fn();
  preferences.addEventListener("changed", changed);
  preferences.theme = "dark";
  preferences.zone = "kpi";
  preferences.author = "Ann";
  expect([root.dataset["theme"], changed.mock.calls.length]).toEqual(["dark", 2]);
  delete root.dataset["theme"];
  const next = made();
  expect([next.theme, next.zone, next.author, root.dataset["theme"]]).toEqual(["dark", "kpi", "Ann", "dark"]);
  next.theme = "system";
  expect(root.dataset["theme"]).toBeUndefined();
});

test("what is kept and can't be understood counts as no choice", () => {
  window.localStorage.setItem("theme", "pink");
  window.localStorage.setItem("zone", "mars");
  const preferences = made();
  expect([preferences.theme, preferences.zone, root.dataset["theme"]]).toEqual(["system", "viewer", undefined]);
});
