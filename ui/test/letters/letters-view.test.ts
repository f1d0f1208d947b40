// @vitest-environment jsdom
import { beforeAll, expect, test } from "vitest";
import type { Letter } from "../../src/letters/letters.ts";
import "../../src/letters/letters-view.ts";
import type { LettersView } from "../../src/letters/letters-view.ts";
import { routeOf } from "../../src/shell/router.ts";
import { all, aPage, type Asked, press, settled, shown, textOf } from "../shell/a-page.ts";

beforeAll(() => {
  HTMLDialogElement.prototype.showModal = function () { this.open = true; };
  HTMLDialogElement.prototype.close = function () { this.open = false; };
});

const EVIL = `<img src=x onerror="alert(1)">`;
const letter = (number: number, some: Partial<Letter> = {}): Letter => ({
  number, source: "shop", partition: "log", position: number, field: null, code: "not_json", reason: "no JSON", arrived: "2026-03-01T12:00:00Z", record: `r${number}`, ...some,
});

async function view(letters: readonly Letter[], { path = "/dead-letters", scopes = ["read", "ingest"], answer = (_: Asked): unknown => ({}) } = {}) {
  const { page, asked } = aPage({ scopes, answer: (each) => (each.method === "GET" ? { dead_letters: each.query.get("order") === "newest" ? [...letters].reverse() : letters } : answer(each)) });
  const element = await shown<LettersView>("lk-letters", { page, route: routeOf(new URL(path, "http://localhost")) });
  return { element, asked };
}

test("the newest first, counted by kind, cut with a way to see all, and never HTML", async () => {
  const { element } = await view([letter(1), letter(2, { code: "wrong_type", record: EVIL + "x".repeat(2_000) })]);
  const records = all(element, "pre").map((pre) => textOf(pre)).filter((text) => !text.startsWith("livekpi"));
  expect(records.map((text) => text.slice(0, 4))).toEqual(["<img", "r1"]);
  expect(records[0]!.length).toBeLessThan(700);
  expect(all(element, "img")).toEqual([]);
  expect(textOf(element)).toMatch(/All.*not_json \(1\).*wrong_type \(1\)/);
  await press(element, "Show all");
  expect(all(element, "pre").some((pre) => textOf(pre).length > 2_000)).toBe(true);
});

test("of more than are asked for the newest are there", async () => {
  const { element, asked } = await view(Array.from({ length: 1_000 }, (_, number) => letter(number + 1)));
  expect(asked[0]!.query.get("limit")).toBe("1000");
  expect(textOf(element)).toContain("these are the newest 1000 of the range");
  expect(textOf(all(element, "lk-letter")[0]!)).toContain("letter 1000");
});

test("those of a kind", async () => {
  const { element } = await view([letter(1), letter(2, { code: "wrong_type" })], { path: "/dead-letters?code=wrong_type" });
  expect(all(element, "lk-letter").length).toBe(1);
  expect(textOf(element)).toContain("livekpi dead-letters --reason wrong_type --replay");
});

test("a record is mended and fed back; what is still wrong is said", async () => {
  let errors = [{ number: 1, reason: "still no JSON" }];
  const { element, asked } = await view([letter(1)], { answer: () => ({ replayed: 1 - errors.length, dead: errors.length, errors }) });
  await press(element, "Mend and replay");
  const [dialog] = all(element, "dialog") as [HTMLDialogElement];
  const area = dialog.querySelector("textarea")!;
  expect(area.value).toBe("r1");
  area.value = '{"a": 1}';
  const submit = async (): Promise<void> => {
    dialog.querySelector("form")!.dispatchEvent(new SubmitEvent("submit", { cancelable: true }));
    await settled();
  };
  await submit();
  expect([dialog.open, textOf(dialog.querySelector("[role=alert]")!)]).toEqual([true, "still no JSON"]);
  errors = [];
  await submit();
  expect(dialog.open).toBe(false);
  expect(asked.find(({ method }) => method === "POST")).toMatchObject({ path: "/v1/dead-letters/replay", body: { letters: [{ number: 1, record: '{"a": 1}' }] } });
});

test("a record that is not changed is fed back as it is; one of bytes can't be changed, and one that is gone is said to be", async () => {
  const bytes = letter(2, { record_base64: "//8=" });
  delete (bytes as { record?: string }).record;
  let replayed = 1;
  const { element, asked } = await view([letter(1), bytes], { answer: () => ({ replayed, dead: 0, errors: [] }) });
  const [dialog] = all(element, "dialog") as [HTMLDialogElement];
  const replay = async (number: number): Promise<void> => {
    await press(all(element, "lk-letter").find((each) => textOf(each).includes(`letter ${number}`))!, "Mend and replay");
    dialog.querySelector("form")!.dispatchEvent(new SubmitEvent("submit", { cancelable: true }));
    await settled();
  };
  await replay(2);
  await replay(1);
  expect(asked.filter(({ method }) => method === "POST").map(({ body }) => body)).toEqual([{ letters: [{ number: 2 }] }, { letters: [{ number: 1 }] }]);
  replayed = 0;
  await replay(2);
  expect([dialog.open, dialog.querySelector("textarea"), textOf(dialog)]).toEqual([true, null, expect.stringContaining("somebody else has replayed it")]);
});

test("all that are shown are fed back as they are", async () => {
  const { element, asked } = await view([letter(1), letter(2)], { answer: () => ({ replayed: 1, dead: 1, errors: [] }) });
  await press(element, "Replay these 2");
  expect(asked.find(({ method }) => method === "POST")!.body).toEqual({ letters: [{ number: 1 }, { number: 2 }] });
  expect(textOf(element)).toContain("1 counted, 1 still dead letters.");
});

test("who may not send events can't feed any back", async () => {
  const { element } = await view([letter(1)], { scopes: ["read", "act"] });
  expect(all(element, "button").map((button) => textOf(button)).filter((text) => /eplay/.test(text))).toEqual([]);
});
