/** What an element asks the server for and the stream does not tell: asked anew when the question changes, now and then, and after a break. */

import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { Page } from "./page.ts";

export interface Asking<T> {
  /** The element's page, once it has one. */
  readonly page: () => Page;
  /** What is asked: where it changes, it is asked anew. */
  readonly about: () => unknown;
  readonly ask: (signal: AbortSignal) => Promise<T>;
  /** How often it is asked again while the page is looked at; not given: only when somebody wants it. */
  readonly every_ms?: number;
  /** What an answer hangs on: as long as it is the same, it is asked again once in a minute only. */
  readonly news?: () => unknown;
}

const QUIET_MS = 60_000;

export class Question<T> implements ReactiveController {
  /** The last answer there was; an answer to another question stays until the new one is there. */
  answer: T | null = null;
  /** Why the last attempt had no answer; null where it had one. */
  error: Error | null = null;
  busy = false;
  #about: string | null = null;
  #abort: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #leave: (() => void)[] = [];
  /** What the answer hung on when it was asked for, and how long ago that was, as far as it was waited. */
  #news: unknown = undefined;
  #waited_ms = 0;

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly asking: Asking<T>,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    this.host.requestUpdate();
  }

  hostUpdate(): void {
    const about = JSON.stringify(this.asking.about());
    if (about === this.#about) return;
    if (this.#about === null) this.#attend();
    this.#about = about;
    this.again();
  }

  hostDisconnected(): void {
    this.#abort?.abort();
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const leave of this.#leave) leave();
    this.#leave = [];
    this.#about = null;
  }

  /** Asks now; an answer that is still on its way counts no more. */
  again(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#abort?.abort();
    this.#abort = new AbortController();
    this.busy = true;
    [this.#news, this.#waited_ms] = [this.asking.news?.(), 0];
    this.host.requestUpdate();
    void this.#ask(this.#abort.signal);
  }

  async #ask(signal: AbortSignal): Promise<void> {
    try {
      const answer = await this.asking.ask(signal);
      if (signal.aborted) return;
      this.answer = answer;
      this.error = null;
    } catch (error) {
      if (signal.aborted) return;
      this.error = error instanceof Error ? error : new Error(String(error));
    }
    this.busy = false;
    this.host.requestUpdate();
    this.#wait();
  }

  #wait(): void {
    const { every_ms } = this.asking;
    if (every_ms !== undefined) this.#timer = setTimeout(() => this.#due(every_ms), every_ms);
  }

  /** A page that is hidden asks when it is looked at again. */
  #due(waited_ms: number): void {
    this.#timer = null;
    if (document.hidden) return;
    this.#waited_ms += waited_ms;
    const { news } = this.asking;
    if (news === undefined || this.error !== null || news() !== this.#news || this.#waited_ms >= QUIET_MS) this.again();
    else this.#wait();
  }

  #attend(): void {
    const shown = (): void => {
      if (!document.hidden && this.#timer === null && !this.busy && this.asking.every_ms !== undefined) this.again();
    };
    document.addEventListener("visibilitychange", shown);
    const back = this.asking.page().live.on("connection", (connection) => {
      const wanted = this.asking.every_ms !== undefined || this.error !== null;
      if (connection === "live" && wanted && !this.busy) this.again();
    });
    this.#leave = [() => document.removeEventListener("visibilitychange", shown), back];
  }
}
