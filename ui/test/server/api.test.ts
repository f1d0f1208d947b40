import { expect, test } from "vitest";
import { Api, query, ServerError } from "../../src/server/api.ts";
import { ServerClock } from "../../src/server/clock.ts";

function answering(response: Response): { api: (token?: string) => Api; asked: [string, RequestInit][] } {
  const asked: [string, RequestInit][] = [];
  const ask = (input: unknown, init: unknown): Promise<Response> => {
    asked.push([String(input), init as RequestInit]);
    return Promise.resolve(response);
  };
  return { api: (token) => new Api(new ServerClock(), token ?? null, ask as typeof fetch), asked };
}

test("parameters that say nothing are left out, and the others are encoded", () => {
  expect(query({ by: ["a", "b"], where: "country = 'DE & co'", step: undefined, empty: [], none: "" })).toBe(
    "?by=a%2Cb&where=country+%3D+%27DE+%26+co%27",
  );
  expect(query({})).toBe("");
});

test("each want of a stream is a query of its own", async () => {
  const { api, asked } = answering(new Response(""));
  await api().stream([{ kpi: "a", by: ["x"] }, { kpi: "b&c" }], true, new AbortController().signal);
  const url = new URL(asked[0]![0], "http://server");
  expect(url.searchParams.getAll("want")).toEqual(["kpi=a&by=x", "kpi=b%26c"]);
  expect(url.searchParams.get("alerts")).toBe("true");
});

test("a refusal says what the server's problem document says", async () => {
  const problem = new Response(JSON.stringify({ title: "Not Found", detail: "there is no KPI 'x'" }), { status: 404 });
  await expect(answering(problem).api().kpis()).rejects.toEqual(new ServerError("there is no KPI 'x'", 404));
});

test("an answer that is no problem document is told by its status", async () => {
  await expect(answering(new Response("<html>", { status: 502 })).api().kpis()).rejects.toThrow("The server answered 502.");
});

test("a server that does not answer is an error of its own", async () => {
  const api = new Api(new ServerClock(), null, () => Promise.reject(new TypeError("fetch failed")));
  await expect(api.kpis()).rejects.toEqual(new ServerError("The server can't be reached.", 0));
});

test("a token goes into the header, and without one none does", async () => {
  const { api, asked } = answering(new Response('{"kpis":[]}'));
  await api("secret").kpis();
  expect(asked[0]![1].headers).toEqual({ Authorization: "Bearer secret" });
  const other = answering(new Response('{"kpis":[]}'));
  await other.api().kpis();
  expect(other.asked[0]![1].headers).toEqual({});
});
