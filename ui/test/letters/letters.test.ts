import { expect, test } from "vitest";
import { countBy, cut, type Letter, recordText, replayCommand } from "../../src/letters/letters.ts";

const letter = (some: Partial<Letter> = {}): Letter => ({
  number: 1, source: "app", partition: "log", position: 0, field: null, code: "not_json", reason: "no JSON", arrived: "2026-03-01T12:00:00Z", ...some,
});

test("how many of which kind, the most first", () => {
  const letters = [letter({ code: "b" }), letter({ code: "c" }), letter({ code: "a" }), letter({ code: "c" })];
  expect(countBy(letters, ({ code }) => code)).toEqual([{ name: "c", count: 2 }, { name: "a", count: 1 }, { name: "b", count: 1 }]);
});

test("a record is text as it is; what can't be seen, or turns text around, is shown by its number", () => {
  expect(recordText(letter({ record: '{"a": "<b>ü 😀"}\n\tx' }))).toBe('{"a": "<b>ü 😀"}\n\tx');
  expect(recordText(letter({ record: "a\u0000b\u001b[31m\u202egpj.exe\u200b\ufeff\r" }))).toBe("a\\u0000b\\u001b[31m\\u202egpj.exe\\u200b\\ufeff\\u000d");
});

test("bytes that are no text are shown in hex", () => {
  const bytes = String.fromCharCode(0xff, 0xfe, ...Array.from("hello, bytes!!", (character) => character.charCodeAt(0)), 0x7f);
  expect(recordText(letter({ record_base64: btoa(bytes) }))).toBe(
    `0000  ff fe 68 65 6c 6c 6f 2c 20 62 79 74 65 73 21 21  ..hello, bytes!!\n0010  7f${" ".repeat(45)}  .`,
  );
  expect(recordText(letter({ record_base64: "" }))).toBe("");
});

test("a long text is cut, and never within a character", () => {
  expect(cut("abc", 3)).toEqual({ head: "abc", left: 0 });
  expect(cut("abcd", 3)).toEqual({ head: "abc", left: 1 });
  expect(cut("ab😀d", 3)).toEqual({ head: "ab", left: 3 });
});

test("the command for the same in a shell, in which nothing can break out of its quotes", () => {
  expect(replayCommand({})).toBe("livekpi dead-letters --replay");
  expect(replayCommand({ source: "shop", reason: "wrong_type" })).toBe("livekpi dead-letters --source shop --reason wrong_type --replay");
  expect(replayCommand({ source: "", reason: "it's; rm -rf" })).toBe(`livekpi dead-letters --reason 'it'\\''s; rm -rf' --replay`);
});
