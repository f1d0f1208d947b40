/** Choosing a part of a chart with mouse, pen or finger. */

/** A shorter way is a click. */
const LEAST_PX = 8;

export interface Brushing {
  /** The pointer is at `x`, in px from the left; a finger has no hover, so it is told here. */
  at(x: number, touch: boolean): void;
  /** A part is being chosen; null: no more. */
  choosing(part: readonly [from: number, to: number] | null): void;
  chosen(from: number, to: number): void;
}

/** Lets a part of `area` be chosen until the returned function is called. Up and down stays the page's own scrolling. */
export function brush(area: HTMLElement, told: Brushing): () => void {
  let start: number | null = null;
  const ended = new AbortController();
  const x = (event: PointerEvent): number => {
    const box = area.getBoundingClientRect();
    return Math.min(box.width, Math.max(0, event.clientX - box.left));
  };
  const on = (name: "pointerdown" | "pointermove" | "pointerup" | "pointercancel", listener: (event: PointerEvent) => void): void =>
    area.addEventListener(name, listener, { signal: ended.signal });
  const stop = (): void => {
    start = null;
    told.choosing(null);
  };
  area.style.setProperty("touch-action", "pan-y");
  on("pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary) return;
    start = x(event);
    area.setPointerCapture(event.pointerId);
    told.at(start, event.pointerType === "touch");
  });
  on("pointermove", (event) => {
    const here = x(event);
    told.at(here, event.pointerType === "touch");
    if (start !== null && Math.abs(here - start) >= LEAST_PX) told.choosing([Math.min(start, here), Math.max(start, here)]);
  });
  on("pointerup", (event) => {
    if (start === null) return;
    const [from, to] = [Math.min(start, x(event)), Math.max(start, x(event))];
    stop();
    if (to - from >= LEAST_PX) told.chosen(from, to);
  });
  on("pointercancel", stop);
  return () => ended.abort();
}
