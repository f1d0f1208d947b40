import { expect, test } from "vitest";
import { embeddedBy } from "../../src/embed/address.ts";
import { Memory } from "../../src/embed/memory.ts";

const said = (rest: string) => embeddedBy(new URL(`http://127.0.0.1:8321/embed/${rest}`));

test("all that an address can say", () => {
  expect(said("error%20rate?theme=dark&span=6h&by=service#token=a%2Bb")).toEqual({ kpi: "error rate", token: "a+b", theme: "dark", span: "6h", by: "service" });
});

test("what is not said, or makes no sense, is as usual", () => {
  expect(said("orders")).toEqual({ kpi: "orders", token: null, theme: "system", span: null, by: null });
  expect(said("orders?theme=pink&span=long#token=")).toEqual({ kpi: "orders", token: null, theme: "system", span: null, by: null });
  expect(said("orders?span=0s").span).toBeNull();
});

test("a storage that keeps nothing is one all the same", () => {
  const memory = new Memory({ theme: "dark" });
  memory.setItem("zone", "kpi");
  expect([memory.getItem("theme"), memory.getItem("none"), memory.length, memory.key(1), memory.key(2)]).toEqual(["dark", null, 2, "zone", null]);
  memory.removeItem("theme");
  expect(memory.length).toBe(1);
  memory.clear();
  expect(memory.length).toBe(0);
});
