/** All KPIs of the file at a glance: what fires, then a card each. */

import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { Kpi, Source } from "../server/types.ts";
import { Follow } from "../shell/follow.ts";
import type { Page } from "../shell/page.ts";
import { kpiPath } from "../shell/router.ts";
import { Resizing, remPx } from "../shell/resizing.ts";
import { cardsOf } from "../shell/shape.ts";
import { shared } from "../shell/styles.ts";
import "./alert-strip.ts";
import { arranged, type Order, ORDERS } from "./arrange.ts";
import "./card.ts";
import "./first-event.ts";
import { Near } from "./near.ts";
import { type Wish, WISHES } from "./windows.ts";

/** From so many KPIs on one looks for some. */
const MANY = 9;
/** Of the screen, what is around the cards. */
const SIDES_REM = 1;
const HEAD_REM = 8;
const ORDER_WORDS: Readonly<Record<Order, string>> = { file: "As in the file", state: "Worst first", title: "By title" };
const WISH_WORDS: Readonly<Record<Wish, string>> = { minute: "Last minute", hour: "Last hour", day: "Last day" };

@customElement("lk-overview")
export class Overview extends LitElement {
  static override styles = [
    shared,
    css`
      :host { display: flex; flex-direction: column; gap: var(--gap); }
      .tools { display: flex; flex-wrap: wrap; gap: 8px var(--gap); align-items: center; }
      .tools h1 { margin-inline-end: auto; }
      label { display: flex; align-items: center; gap: 6px; }
      input { width: 14rem; }
      ul { list-style: none; margin: 0; padding: 0; display: grid; gap: var(--gap); grid-template-columns: repeat(auto-fill, minmax(min(17.5rem, 100%), 1fr)); grid-auto-rows: 14.75rem; }
      /* all at once: they share the screen, as long as that helps to see them */
      ul.filling { flex: 1; grid-template-columns: repeat(var(--columns), minmax(0, 1fr)); grid-auto-rows: minmax(14.75rem, 1fr); max-width: calc(var(--columns) * 64rem); max-height: calc(var(--rows) * 48rem); }
      li { min-width: 0; }
      .later { display: block; height: 100%; padding: 14px 16px; color: var(--muted); text-decoration: none; overflow: hidden; }
      @media (max-width: 700px) { label, input, .tools select { flex: 1 1 auto; } .tools h1 { flex-basis: 100%; } }
    `,
  ];

  @property({ attribute: false }) page!: Page;
  /** Where events come from; null while that is not known. */
  @state() private sources: readonly Source[] | null = null;
  readonly #near = new Near(this);
  /** The columns and rows in which all cards fit on the screen at once; null where they don't. */
  #shape: readonly [columns: number, rows: number] | null = null;
  #ends: (() => void)[] = [];

  constructor() {
    super();
    new Follow(this, () => this.page.board, "changed");
    new Follow(this, () => this.page.router, "moved");
    new Resizing(this);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#ask();
    this.#ends = [
      this.page.live.on("definition", () => void this.#ask()),
      // numbers that change tell that there are events now
      this.page.live.on("commit", () => this.#isEmpty() && void this.#ask()),
    ];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const end of this.#ends) end();
  }

  override render(): TemplateResult {
    const { kpis, board } = this.page;
    const { filter, order, wish } = this.#choices();
    const shown = arranged(kpis, filter, order, board.alerts);
    this.#shape = shapeOf(shown.length);
    return html`
      <div class="tools">
        <h1>Overview</h1>
        ${kpis.length >= MANY ? this.#finding(filter, order) : nothing}
        ${this.#select("Values of the", "window", wish, WISHES, WISH_WORDS)}
      </div>
      ${board.alerts.some((alert) => alert.status === "firing") ? html`<lk-alert-strip .page=${this.page}></lk-alert-strip>` : nothing}
      ${this.#isEmpty() ? html`<lk-first-event .page=${this.page} .sources=${this.sources ?? []}></lk-first-event>` : nothing}
      <p class="hidden-text" role="status">${filter ? `${shown.length} of ${kpis.length} KPIs` : ""}</p>
      ${shown.length === 0 ? this.#nothing(filter) : this.#grid(shown, wish)}
    `;
  }

  protected override updated(_changed: PropertyValues): void {
    const cards = this.renderRoot.querySelectorAll<HTMLElement>("li[data-name]");
    this.#near.follow(cards);
    const [columns, rows] = this.#shape ?? [1, 1];
    this.style.setProperty("--columns", `${columns}`);
    this.style.setProperty("--rows", `${rows}`);
  }

  #grid(shown: readonly Kpi[], wish: Wish): TemplateResult {
    return html`<ul class=${this.#shape === null ? "" : "filling"} aria-label="KPIs">
      ${repeat(
        shown,
        (kpi) => kpi.kpi,
        (kpi) => html`<li data-name=${kpi.kpi}>${this.#near.has(kpi.kpi) ? this.#card(kpi, wish) : this.#later(kpi)}</li>`,
      )}
    </ul>`;
  }

  #card(kpi: Kpi, wish: Wish): TemplateResult {
    return html`<lk-card .page=${this.page} .kpi=${kpi} .wish=${wish} .last_event_ms=${this.#lastEvent(kpi)}></lk-card>`;
  }

  /** A card that is not drawn yet, with what a search in the page or a screen reader needs. */
  #later(kpi: Kpi): TemplateResult {
    return html`<a class="panel later" href=${kpiPath(kpi.kpi)}>${kpi.title}</a>`;
  }

  #finding(filter: string, order: Order): TemplateResult {
    const find = (event: Event): void => this.page.router.set({ filter: (event.target as HTMLInputElement).value });
    return html`<label>Find <input type="search" autocomplete="off" spellcheck="false" .value=${filter} @input=${find} /></label>
      ${this.#select("Order", "order", order, ORDERS, ORDER_WORDS)}`;
  }

  /** A choice that the address keeps; its first is meant where the address says nothing. */
  #select<T extends string>(label: string, name: string, chosen: T, all: readonly T[], words: Readonly<Record<T, string>>): TemplateResult {
    const choose = (event: Event): void => {
      const { value } = event.target as HTMLSelectElement;
      this.page.router.set({ [name]: value === all[0] ? null : value });
    };
    return html`<label
      >${label}
      <select @change=${choose}>
        ${all.map((each) => html`<option value=${each} ?selected=${each === chosen}>${words[each]}</option>`)}
      </select></label
    >`;
  }

  #nothing(filter: string): TemplateResult {
    if (filter === "") return html`<p class="panel">The file has no KPI yet. Write one under <code>kpis:</code>, and it is shown here.</p>`;
    return html`<p class="panel">No KPI has “${filter}” in its title, name, owner or description.</p>`;
  }

  #choices(): { filter: string; order: Order; wish: Wish } {
    const { query } = this.page.router.route;
    return {
      filter: query.get("filter") ?? "",
      order: ORDERS.find((each) => each === query.get("order")) ?? "file",
      wish: WISHES.find((each) => each === query.get("window")) ?? "minute",
    };
  }

  #isEmpty(): boolean {
    return this.sources !== null && this.sources.length > 0 && this.sources.every((source) => source.last_event === null);
  }

  #lastEvent(kpi: Kpi): number | null {
    const times = (this.sources ?? []).flatMap(({ source, last_event }) => (kpi.sources.includes(source) && last_event ? [Date.parse(last_event)] : []));
    return times.length === 0 ? null : Math.max(...times);
  }

  async #ask(): Promise<void> {
    // without it the cards are shown all the same
    this.sources = await this.page.api.sources().catch(() => this.sources);
  }
}

function shapeOf(count: number): readonly [columns: number, rows: number] | null {
  const rem = remPx();
  return count === 0 ? null : cardsOf(count, innerWidth / rem - SIDES_REM, innerHeight / rem - HEAD_REM);
}
