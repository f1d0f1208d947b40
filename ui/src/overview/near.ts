/** Which cells of a long list are on screen or nearly: only those are drawn. */

import type { ReactiveController, ReactiveControllerHost } from "lit";

const MARGIN = "250px";
/** So long nothing may have come or gone: a list that flies past draws nothing on its way. */
const SETTLE_MS = 100;
/** The server's stream takes some wants; so many cards are drawn at once at most, from the top of what is seen. */
const MOST = 48;

export class Near implements ReactiveController {
  #observer: IntersectionObserver | null = null;
  #cells = new Map<string, Element>();
  #seen = new Set<string>();
  #shown: ReadonlySet<string> = new Set();
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly host: ReactiveControllerHost) {
    host.addController(this);
  }

  /** Whether the cell of this name is to be drawn. */
  has(name: string): boolean {
    return this.#shown.has(name);
  }

  hostConnected(): void {
    this.#observer = new IntersectionObserver((entries) => this.#saw(entries), { rootMargin: MARGIN });
    for (const cell of this.#cells.values()) this.#observer.observe(cell);
  }

  hostDisconnected(): void {
    this.#observer?.disconnect();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#seen.clear();
    this.#shown = new Set();
  }

  /** Takes in the cells there are after an update, each with its name in `data-name`. */
  follow(cells: Iterable<HTMLElement>): void {
    const before = this.#cells;
    this.#cells = new Map([...cells].map((cell) => [cell.dataset["name"] ?? "", cell]));
    for (const [name, cell] of before) {
      if (this.#cells.get(name) === cell) continue;
      this.#observer?.unobserve(cell);
      this.#seen.delete(name);
    }
    for (const [name, cell] of this.#cells) if (before.get(name) !== cell) this.#observer?.observe(cell);
  }

  #saw(entries: readonly IntersectionObserverEntry[]): void {
    for (const entry of entries) {
      const name = (entry.target as HTMLElement).dataset["name"] ?? "";
      if (entry.isIntersecting) this.#seen.add(name);
      else this.#seen.delete(name);
    }
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#settle(), this.#shown.size === 0 ? 0 : SETTLE_MS);
  }

  #settle(): void {
    this.#timer = null;
    const inOrder = [...this.#cells.keys()].filter((name) => this.#seen.has(name));
    this.#shown = new Set(inOrder.slice(0, MOST));
    this.host.requestUpdate();
  }
}
