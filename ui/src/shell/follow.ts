/** Keeps an element up to date with feeds while it is on screen, and with other things that change. */

import type { ReactiveController, ReactiveControllerHost } from "lit";
import { Feed, type Range } from "../server/feed.ts";
import type { Want } from "../server/types.ts";
import { untilBeat } from "./beats.ts";
import type { Page } from "./page.ts";

/** How far outside the screen something counts as on it. */
const MARGIN = "200px";

/** An element's feeds; each is live only while the element is on screen. */
export class Feeds implements ReactiveController {
  #feeds = new Map<string, Feed>();
  #observer: IntersectionObserver | null = null;
  #seen = false;

  constructor(private readonly host: ReactiveControllerHost & Element) {
    host.addController(this);
  }

  /** Whether the element is on screen, or nearly; asking this costs no layout. */
  get seen(): boolean {
    return this.#seen;
  }

  /** The feed of a want over a range: the same as before while neither changes. A name stands for one at a time. */
  feed(name: string, page: Page, want: Want, range: Range): Feed {
    const before = this.#feeds.get(name);
    if (before !== undefined && JSON.stringify([before.want, before.range]) === JSON.stringify([want, range])) return before;
    before?.stop();
    const feed = new Feed(page.api, page.live, () => page.clock.now(), want, range, () => this.host.requestUpdate());
    this.#feeds.set(name, feed);
    if (this.#seen) feed.start();
    return feed;
  }

  /** Ends the feeds whose names are not among these. */
  keep(names: readonly string[]): void {
    for (const [name, feed] of this.#feeds) {
      if (names.includes(name)) continue;
      feed.stop();
      this.#feeds.delete(name);
    }
  }

  hostConnected(): void {
    this.#observer = new IntersectionObserver(
      (entries) => {
        this.#seen = entries.at(-1)?.isIntersecting ?? false;
        for (const feed of this.#feeds.values()) {
          if (this.#seen) feed.start();
          else feed.stop();
        }
      },
      { rootMargin: MARGIN },
    );
    this.#observer.observe(this.host);
  }

  hostDisconnected(): void {
    this.#observer?.disconnect();
    this.#seen = false;
    for (const feed of this.#feeds.values()) feed.stop();
  }
}

/** Updates an element when `name` happens at what `target` gives. */
export class Follow implements ReactiveController {
  #listener = (): void => this.host.requestUpdate();
  #following: EventTarget | null = null;

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly target: () => EventTarget | null,
    private readonly name: string,
  ) {
    host.addController(this);
  }

  hostUpdate(): void {
    const target = this.target();
    if (target === this.#following) return;
    this.hostDisconnected();
    this.#following = target;
    target?.addEventListener(this.name, this.#listener);
  }

  hostDisconnected(): void {
    this.#following?.removeEventListener(this.name, this.#listener);
    this.#following = null;
  }
}

/** Updates an element every so often, for words such as "12 s ago", together with others that do; not while the page is hidden. */
export class Ticking implements ReactiveController {
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly every_ms: number,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    this.#timer = setTimeout(
      () => {
        if (!document.hidden) this.host.requestUpdate();
        this.hostConnected();
      },
      untilBeat(performance.now(), this.every_ms),
    );
  }

  hostDisconnected(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
