/** A page whose server a test answers for, for elements that are tested in a document. */

import type { LitElement } from "lit";
import { Api } from "../../src/server/api.ts";
import { ServerClock } from "../../src/server/clock.ts";
import type { Alert, Kpi } from "../../src/server/types.ts";
import type { Page } from "../../src/shell/page.ts";
import { Numbers } from "../../src/words/numbers.ts";

export const NOW_MS = Date.parse("2026-03-01T13:00:00Z");

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

export interface Given {
  /** The server's answer to a request; one that throws is refused with 400 and what it says. */
  readonly answer?: (asked: Asked) => unknown;
  readonly alerts?: readonly Alert[];
  readonly kpis?: readonly Kpi[];
  readonly scopes?: readonly string[];
}

/** The page, and what its server was asked. */
export function aPage({ answer = () => ({}), alerts = [], kpis = [], scopes = ["read", "act", "ingest"] }: Given = {}): { page: Page; asked: Asked[] } {
  const asked: Asked[] = [];
  const send = (input: unknown, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(String(input), "http://localhost");
    const each = { method: init.method ?? "GET", path: url.pathname, query: url.searchParams, body: init.body ? (JSON.parse(String(init.body)) as unknown) : null };
    asked.push(each);
    try {
      return Promise.resolve(new Response(JSON.stringify(answer(each))));
    } catch (error) {
      return Promise.resolve(new Response(JSON.stringify({ detail: (error as Error).message }), { status: 400 }));
    }
  };
  const clock = new ServerClock(() => NOW_MS);
  const locales = ["en-GB"];
  const of = (rules: readonly string[]): readonly Alert[] => alerts.filter(({ rule }) => rules.includes(rule));
  const board = Object.assign(new EventTarget(), { alerts, of, load: () => Promise.resolve() });
  const live = { on: () => () => undefined, watch: () => () => undefined, connection: "live" };
  const page = {
    api: new Api(clock, null, send as typeof fetch), live, clock, numbers: new Numbers(locales), locales,
    preferences: Object.assign(new EventTarget(), { zone: "viewer", author: "" }),
    router: { set: () => undefined }, board, kpis, dashboards: [], scopes,
  };
  return { page: page as unknown as Page, asked };
}

/** What jsdom has none of: a screen, on which everything is. */
export function screen(): void {
  const sees = (told: (entries: { isIntersecting: boolean }[]) => void): object => ({ observe: () => told([{ isIntersecting: true }]), unobserve: () => undefined, disconnect: () => undefined });
  Object.assign(globalThis, {
    IntersectionObserver: function (told: never) { return sees(told); },
    ResizeObserver: function () { return sees(() => undefined); },
  });
}

/** Puts an element into the document, and waits until it has what it asked for. */
export async function shown<T extends LitElement>(name: string, properties: Partial<T>): Promise<T> {
  const element = document.createElement(name) as T;
  document.body.replaceChildren(element);
  Object.assign(element, properties);
  await settled();
  return element;
}

export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((done) => setTimeout(done));
}

/** All text of an element, with that of the elements in it, its spaces as one. */
export function textOf(root: Node): string {
  const parts: string[] = [];
  const walk = (node: Node): void => {
    if (node instanceof Text) parts.push(node.data);
    if (node instanceof Element && node.shadowRoot) walk(node.shadowRoot);
    if (!(node instanceof HTMLStyleElement)) node.childNodes.forEach(walk);
  };
  walk(root);
  return parts.join(" ").replace(/\s+/g, " ").trim();
}

/** The elements of a selector, in shadow trees too. */
export function all(root: Element | ShadowRoot, selector: string): Element[] {
  const found: Element[] = [];
  const walk = (node: Element | ShadowRoot): void => {
    for (const each of node.querySelectorAll("*")) {
      if (each.matches(selector)) found.push(each);
      if (each.shadowRoot) walk(each.shadowRoot);
    }
  };
  walk(root instanceof Element ? (root.shadowRoot ?? root) : root);
  return found;
}

/** Clicks the button whose text begins so. */
export async function press(root: Element, words: string): Promise<void> {
  const button = all(root, "button").find((each) => textOf(each).startsWith(words));
  if (button === undefined) throw new Error(`there is no button ${words}`);
  (button as HTMLButtonElement).click();
  await settled();
}
