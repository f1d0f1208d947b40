import { expect, test } from "vitest";
import { EventParser, type ServerEvent } from "../../src/server/events.ts";

const STREAM = ": a comment\nretry: 1000\n\nevent: hello\ndata: {\"commit\":1}\n\nid: 2\nevent: points\ndata: a\ndata: b\n\ndata: plain\n\n";
const EVENTS: ServerEvent[] = [
  { event: "hello", data: '{"commit":1}' },
  { event: "points", data: "a\nb" },
  { event: "message", data: "plain" },
];

test("events are whole however the stream is cut", () => {
  for (let size = 1; size <= STREAM.length; size += 1) {
    const parser = new EventParser();
    const found: ServerEvent[] = [];
    for (let at = 0; at < STREAM.length; at += size) found.push(...parser.feed(STREAM.slice(at, at + size)));
    expect(found).toEqual(EVENTS);
  }
});

test("lines may end by CR LF, also where a piece ends between the two", () => {
  const text = STREAM.replaceAll("\n", "\r\n");
  for (const size of [1, 2, 3, 1000]) {
    const parser = new EventParser();
    const found: ServerEvent[] = [];
    for (let at = 0; at < text.length; at += size) found.push(...parser.feed(text.slice(at, at + size)));
    expect(found).toEqual(EVENTS);
  }
});
