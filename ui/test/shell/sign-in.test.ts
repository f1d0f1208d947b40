// @vitest-environment jsdom
import { expect, test, vi } from "vitest";
import "../../src/shell/sign-in.ts";
import type { SignIn } from "../../src/shell/sign-in.ts";
import { all, aPage, settled, shown, textOf } from "./a-page.ts";

test("a token that the server refuses is said to be wrong; one that it takes lets in, and goes nowhere but into the request", async () => {
  let known = false;
  const answer = (): unknown => {
    if (!known) throw new Error("this server does not know that token");
    return null;
  };
  const { page, asked } = aPage({ answer });
  const element = await shown<SignIn>("lk-sign-in", { api: page.api });
  const came = vi.fn();
  element.addEventListener("signed-in", came);
  const [input] = all(element, "input") as [HTMLInputElement];
  const submit = async (): Promise<void> => {
    all(element, "form")[0]!.dispatchEvent(new SubmitEvent("submit", { cancelable: true }));
    await settled();
  };
  expect([input.type, input.autocomplete, input.required]).toEqual(["password", "current-password", true]);
  input.value = "s3cret";
  await submit();
  expect(textOf(all(element, "[role=alert]")[0]!)).toBe("this server does not know that token");
  expect([came.mock.calls.length, (all(element, "button")[0] as HTMLButtonElement).disabled]).toEqual([0, false]);
  known = true;
  await submit();
  expect([came.mock.calls.length, textOf(all(element, "[role=alert]")[0]!)]).toEqual([1, ""]);
  expect(asked.map(({ method, path, query, body }) => [method, path, query.size, body])).toEqual(Array(2).fill(["POST", "/v1/session", 0, { token: "s3cret" }]));
});
