/** Dead letters: events that could not be counted, why, and how to feed them back. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { listing } from "../alerts/styles.ts";
import { type Page, timesOf } from "../shell/page.ts";
import { Question } from "../shell/question.ts";
import "../shell/range-choice.ts";
import type { RangeChosen } from "../shell/range-choice.ts";
import { chosen } from "../shell/ranges.ts";
import type { Route } from "../shell/router.ts";
import { shared } from "../shell/styles.ts";
import "./letter.ts";
import { MendEvent } from "./letter.ts";
import { type Count, countBy, type Letter, replayCommand, type Replayed } from "./letters.ts";
import "./mend-dialog.ts";
import type { MendDialog } from "./mend-dialog.ts";

const MOST = 1_000;
const STEP = 50;
const NEWER_MS = 15_000;

interface Found {
  /** The newest first. */
  readonly letters: readonly Letter[];
  /** When they were asked for, by the server's clock, in ms. */
  readonly at_ms: number;
}

@customElement("lk-letters")
export class LettersView extends LitElement {
  static override styles = [
    shared,
    listing,
    css`
      :host { max-width: 70rem; margin-inline: auto; }
      .note { background: var(--watch-ground); color: var(--watch); padding: 6px 12px; border-radius: 6px; }
      .kind { min-width: 4rem; }
      .counts { display: flex; flex-wrap: wrap; gap: 8px; }
      .counts button { overflow-wrap: anywhere; text-align: start; }
    `,
  ];

  @property({ attribute: false }) page!: Page;
  @property({ attribute: false }) route!: Route;
  @query("lk-mend-dialog") private dialog!: MendDialog;
  @state() private shown = STEP;
  @state() private told = "";
  @state() private problem = "";
  @state() private busy = false;
  #found = new Question<Found>(this, {
    page: () => this.page,
    about: () => this.#range(),
    ask: async (signal) => {
      const at_ms = this.page.clock.now();
      const { dead_letters } = await this.page.api.get<{ dead_letters: Letter[] }>("/v1/dead-letters", { ...this.#range(), order: "newest", limit: MOST }, signal);
      return { letters: dead_letters, at_ms };
    },
  });
  /** How many came since; asked for on its own, so that nothing moves under the reader's eyes. */
  #newer = new Question<number>(this, {
    page: () => this.page,
    about: () => this.#found.answer?.at_ms ?? null,
    ask: async (signal) => {
      const found = this.#found.answer;
      if (found === null || this.#range().to !== undefined) return 0;
      const known = found.letters[0]?.number ?? 0;
      const asked = { from: new Date(found.at_ms - NEWER_MS).toISOString(), limit: MOST };
      const { dead_letters } = await this.page.api.get<{ dead_letters: Letter[] }>("/v1/dead-letters", asked, signal);
      return dead_letters.filter((letter) => letter.number > known).length;
    },
    every_ms: NEWER_MS,
  });

  constructor() {
    super();
    this.addEventListener(MendEvent.NAME, (event) => void this.dialog.open((event as MendEvent).letter));
  }

  override render(): TemplateResult {
    const found = this.#found.answer;
    const newer = this.#newer.answer ?? 0;
    return html`<div class="stack">
      <h1>Dead letters</h1>
      <p class="muted">Records that could not be counted as events. None is dropped: they are kept with the reason, and can be fed back.</p>
      <div class="fields">
        <lk-range .page=${this.page} .chosen=${this.#range()} @range-chosen=${this.#ranged}></lk-range>
        <button @click=${() => this.#refresh()}>Refresh</button>
        <span role="status">${newer > 0 ? html`<span class="note">${newer >= MOST ? `${MOST} or more` : newer} new since</span>` : this.told}</span>
      </div>
      <p class="error" role="alert">${this.problem || (this.#found.error?.message ?? "")}</p>
      ${found === null ? html`<p class="muted">Loading…</p>` : this.#letters(found)}
      ${this.page.scopes.includes("ingest")
        ? html`<lk-mend-dialog .page=${this.page} @replayed=${() => this.#refresh("It is counted now.")}></lk-mend-dialog>`
        : nothing}
    </div>`;
  }

  #letters({ letters, at_ms }: Found): TemplateResult {
    const { source, code } = this.#filter();
    const some = letters.filter((letter) => (source === "" || letter.source === source) && (code === "" || letter.code === code));
    const times = timesOf(this.page);
    if (letters.length === 0) {
      return html`<div class="panel"><p><span class="state fine">Fine</span> No record of this range is a dead letter.</p></div>`;
    }
    const sources = countBy(letters.filter((letter) => code === "" || letter.code === code), (letter) => letter.source);
    return html`
      ${letters.length >= MOST ? html`<p class="note">There are more: these are the newest ${MOST} of the range. Choose one that ends earlier to see the older.</p>` : nothing}
      <section class="panel tight" aria-label="How many of which kind">
        ${sources.length < 2 && source === "" ? nothing : this.#counts("Source", "source", source, sources)}
        ${this.#counts("Kind", "code", code, countBy(letters.filter((letter) => source === "" || letter.source === source), (letter) => letter.code))}
      </section>
      ${this.#replaying(some)}
      <section class="panel" aria-label="The letters">
        <p class="muted">${some.length === 1 ? "One letter" : `${this.page.numbers.text(some.length)} letters`}, the newest first, as of ${times.full(at_ms)} (${times.timezone}).</p>
        ${repeat(some.slice(0, this.shown), (letter) => letter.number, (letter) => html`<lk-letter .page=${this.page} .letter=${letter}></lk-letter>`)}
        ${some.length > this.shown
          ? html`<button @click=${() => (this.shown += STEP)}>Show ${Math.min(STEP, some.length - this.shown)} more of ${some.length - this.shown}</button>`
          : nothing}
      </section>
    `;
  }

  #counts(title: string, parameter: string, chosen: string, counts: readonly Count[]): TemplateResult {
    const button = (value: string, words: string): TemplateResult =>
      html`<button aria-pressed=${value === chosen} @click=${() => this.#choose(parameter, value)}>${words}</button>`;
    return html`<div class="line" role="group" aria-label=${title}>
      <span class="muted kind">${title}</span>
      <div class="counts">${button("", "All")} ${counts.map(({ name, count }) => button(name, `${name} (${this.page.numbers.text(count)})`))}</div>
    </div>`;
  }

  #replaying(some: readonly Letter[]): TemplateResult {
    const { source, code } = this.#filter();
    return html`<details class="panel">
      <summary>How to feed them back</summary>
      <div class="tight">
        <p>When the definition was mended, so that these are events now: feed them back as they are, here or beside the server. Each is counted once, at its own time.</p>
        <pre>${replayCommand({ source, reason: code })}</pre>
        <p>To mend many records: list them, change <code>record</code> in each line, and hand the file back.</p>
        <pre>${replayCommand({ source, reason: code }).replace(" --replay", "")} &gt; letters.jsonl
livekpi dead-letters --mended letters.jsonl</pre>
        ${this.page.scopes.includes("ingest") && some.length > 0
          ? html`<div><button ?disabled=${this.busy} @click=${() => this.#replay(some)}>Replay these ${this.page.numbers.text(some.length)} as they are</button></div>`
          : nothing}
      </div>
    </details>`;
  }

  async #replay(some: readonly Letter[]): Promise<void> {
    this.busy = true;
    try {
      const letters = some.map(({ number }) => ({ number })).reverse(); // as they came
      const { replayed, dead } = await this.page.api.change<Replayed>("POST", "/v1/dead-letters/replay", { letters });
      this.problem = "";
      this.#refresh(`${replayed} counted, ${dead} still dead letters.`);
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    } finally {
      this.busy = false;
    }
  }

  #range(): { readonly from: string; readonly to?: string } {
    return chosen(this.route.query, "-1d");
  }

  #filter(): { readonly source: string; readonly code: string } {
    return { source: this.route.query.get("source") ?? "", code: this.route.query.get("code") ?? "" };
  }

  #choose(parameter: string, value: string): void {
    this.shown = STEP;
    this.page.router.set({ [parameter]: value });
  }

  #refresh(told = ""): void {
    this.told = told;
    this.shown = STEP;
    this.#found.again();
  }

  #ranged(event: RangeChosen): void {
    this.shown = STEP;
    this.page.router.set({ from: event.from, to: event.to });
  }
}
