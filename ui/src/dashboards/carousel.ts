/** Goes from slide to slide by itself, until somebody holds it. */

import type { ReactiveController, ReactiveControllerHost } from "lit";

export class Carousel implements ReactiveController {
  #index = 0;
  #turns = 0;
  #paused = false;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #connected = false;

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly count: () => number,
    private readonly every_ms: () => number,
  ) {
    host.addController(this);
  }

  /** Which slide is shown, from 0; there may be fewer than before. */
  get index(): number {
    return Math.min(this.#index, Math.max(0, this.count() - 1));
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** How often it has gone on. */
  get turns(): number {
    return this.#turns;
  }

  hostConnected(): void {
    this.#connected = true;
    this.#wait();
  }

  hostDisconnected(): void {
    this.#connected = false;
    this.#stop();
  }

  /** To the next slide, or back; the wait begins anew. */
  go(by: 1 | -1): void {
    const count = Math.max(1, this.count());
    this.#index = (this.index + by + count) % count;
    this.#turns += 1;
    this.#wait();
    this.host.requestUpdate();
  }

  pause(paused = !this.#paused): void {
    this.#paused = paused;
    this.#wait();
    this.host.requestUpdate();
  }

  #wait(): void {
    this.#stop();
    if (this.#connected && !this.#paused) this.#timer = setTimeout(() => this.go(1), this.every_ms());
  }

  #stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
