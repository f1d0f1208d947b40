/** What depends on how large the window is. */

import type { ReactiveController, ReactiveControllerHost } from "lit";

/** How many px a rem is: more on a wall, and where the viewer has asked for larger text. */
export function remPx(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
}

/** Updates an element when the window's size changes. */
export class Resizing implements ReactiveController {
  readonly #resized = (): void => this.host.requestUpdate();

  constructor(private readonly host: ReactiveControllerHost) {
    host.addController(this);
  }

  hostConnected(): void {
    window.addEventListener("resize", this.#resized);
  }

  hostDisconnected(): void {
    window.removeEventListener("resize", this.#resized);
  }
}
