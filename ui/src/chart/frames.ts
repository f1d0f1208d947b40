/** When a chart is drawn: at most once a frame, only while it is on screen, anew when its size or the theme changes. */

import type { ReactiveController, ReactiveControllerHost } from "lit";
import { untilBeat } from "../shell/beats.ts";

const SHORTEST_BEAT_MS = 200;
const LONGEST_BEAT_MS = 5_000;

export class Frames implements ReactiveController {
  #asked: number | null = null;
  #seen = false;
  #late = false;
  #observers: readonly { disconnect(): void }[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;
  #beat_ms: number | null = null;

  constructor(
    private readonly host: ReactiveControllerHost & Element,
    private readonly draw: () => void,
  ) {
    host.addController(this);
  }

  /** Asks for a drawing with the next frame, or once the chart is seen again. */
  ask(): void {
    if (!this.#seen || !this.host.isConnected) this.#late = true;
    else this.#asked ??= requestAnimationFrame(() => this.#run());
  }

  /** Draws again when it was not asked to for about so long, together with others that beat; null: not. */
  beat(every_ms: number | null): void {
    const beat_ms = every_ms === null ? null : Math.min(LONGEST_BEAT_MS, Math.max(SHORTEST_BEAT_MS, every_ms));
    if (beat_ms === this.#beat_ms) return;
    this.#beat_ms = beat_ms;
    this.#wait();
  }

  hostConnected(): void {
    const seen = new IntersectionObserver((entries) => this.#look(entries.at(-1)?.isIntersecting ?? false));
    const sized = new ResizeObserver(() => this.ask());
    seen.observe(this.host);
    sized.observe(this.host);
    this.#observers = [seen, sized];
    this.#wait();
  }

  hostDisconnected(): void {
    for (const observer of this.#observers) observer.disconnect();
    if (this.#asked !== null) cancelAnimationFrame(this.#asked);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#asked = this.#timer = null;
    this.#seen = false;
    this.#late = true;
  }

  #look(seen: boolean): void {
    this.#seen = seen;
    if (seen && this.#late) this.ask();
  }

  #wait(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = this.#beat_ms === null || !this.host.isConnected ? null : setTimeout(() => this.ask(), untilBeat(performance.now(), this.#beat_ms));
  }

  #run(): void {
    this.#asked = null;
    this.#late = false;
    this.draw();
    this.#wait();
  }
}
