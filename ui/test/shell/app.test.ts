// @vitest-environment jsdom
import { beforeAll, expect, test, vi } from "vitest";
import { aKpi } from "../alerts/alert.ts";
import { all, screen, settled, shown, textOf } from "./a-page.ts";

/** A server whose streams stand until the test breaks them. */
class Server {
  readonly asked: string[] = [];
  readonly #streams: ReadableStreamDefaultController<Uint8Array>[] = [];
  scopes = ["read"];
  definition = "one";

  readonly fetch = (input: unknown): Promise<Response> => {
    const { pathname } = new URL(String(input), "http://localhost");
    this.asked.push(pathname);
    if (pathname === "/v1/stream") return Promise.resolve(new Response(this.#stream()));
    const answers: Record<string, unknown> = {
      "/v1/session": { needed: true, scopes: this.scopes },
      "/v1/kpis": { kpis: [aKpi()] },
      "/v1/dashboards": { dashboards: [{ name: "sales", title: "Sales", rows: [] }], stale: null },
      "/v1/alerts": { alerts: [] },
    };
    return Promise.resolve(new Response(JSON.stringify(answers[pathname] ?? {})));
  };

  breaks(): void {
    this.#streams.splice(0).forEach((stream) => stream.close());
  }

  count(path: string): number {
    return this.asked.filter((each) => each === path).length;
  }

  #stream(): ReadableStream<Uint8Array> {
    return new ReadableStream({
      start: (stream) => {
        this.#streams.push(stream);
        stream.enqueue(new TextEncoder().encode(`event: hello\ndata: {"commit": 1, "definition": "${this.definition}"}\n\n`));
      },
    });
  }
}

beforeAll(async () => {
  screen();
  Object.assign(globalThis, { matchMedia: () => new EventTarget() });
  window.history.replaceState(null, "", "/nowhere");
  await import("../../src/shell/app.ts");
});

async function app(server: Server): Promise<Element> {
  vi.stubGlobal("fetch", server.fetch);
  return shown("lk-app", {});
}

const live = (element: Element, word = "Live"): Promise<void> => vi.waitFor(() => expect(textOf(all(element, "lk-connection")[0]!)).toContain(word), 5_000);

test("what is known beforehand is asked for once, and again where another definition is shown after a break", async () => {
  const server = new Server();
  const element = await app(server);
  await live(element);
  await settled();
  expect(["/v1/session", "/v1/kpis", "/v1/dashboards"].map((path) => server.count(path))).toEqual([1, 1, 1]);
  server.breaks();
  await live(element, "Disconnected");
  await live(element);
  await settled();
  expect(server.count("/v1/kpis")).toBe(1);
  server.definition = "another";
  server.breaks();
  await live(element, "Disconnected");
  await live(element);
  await vi.waitFor(() => expect(["/v1/session", "/v1/kpis", "/v1/dashboards"].map((path) => server.count(path))).toEqual([2, 2, 2]));
  element.remove();
}, 20_000);

test("alerts come second among the links, whatever dashboards there are", async () => {
  const element = await app(new Server());
  await vi.waitFor(() => expect(all(element, "nav a").map((link) => textOf(link))).toEqual(["Overview", "Alerts", "Sales", "Status", "Dead letters", "TV"]));
  await live(element); // or it would ask in the next test
  element.remove();
});

test("who has no token is asked for one, and of the numbers nothing is asked", async () => {
  const server = new Server();
  server.scopes = [];
  const element = await app(server);
  await vi.waitFor(() => expect(textOf(element)).toContain("Sign in"));
  expect(server.asked).toEqual(["/v1/session"]);
});
