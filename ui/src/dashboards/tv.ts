/** The wall: dashboards in large numbers, one after the other, without anything to click. */

import { css, html, LitElement, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import "../shell/connection.ts";
import { Ticking } from "../shell/follow.ts";
import { type Page, timesOf } from "../shell/page.ts";
import type { Route } from "../shell/router.ts";
import { Resizing } from "../shell/resizing.ts";
import { shapeOf } from "../shell/shape.ts";
import { shared } from "../shell/styles.ts";
import { Carousel } from "./carousel.ts";
import { everyOf, MOST_TILES, type Slide, slidesOf } from "./slides.ts";
import "./tv-tile.ts";

const AWAKE_MS = 4_000;
const WAKING = ["pointermove", "click"] as const;
const SMALL_PX = 700;
const SMALL_TILES = 3;
/** A picture that never moves burns itself into some screens: with each slide it stands a little elsewhere. */
const SHIFTS_PX = [[0, 0], [4, 2], [8, 0], [4, 6], [0, 8], [6, 4]] as const;

@customElement("lk-tv")
export class Tv extends LitElement {
  static override styles = [
    shared,
    css`
      :host { position: fixed; inset: 0; background: var(--ground); overflow: hidden; display: flex; flex-direction: column; gap: 1.2vmin; padding: 1.2vmin calc(1.2vmin + 8px) calc(1.2vmin + 8px) 1.2vmin; }
      .moved { position: relative; flex: 1; min-height: 0; display: flex; flex-direction: column; gap: 1.2vmin; }
      .top { display: flex; flex-wrap: wrap; align-items: center; gap: 0 2vmin; font-size: clamp(1rem, 2.6vmin, 3rem); }
      h1 { font-size: 1.3em; margin-inline-end: auto; }
      .clock { font-weight: 600; }
      lk-connection { font-size: 1em; }
      ul { list-style: none; margin: 0; padding: 0; flex: 1; min-height: 0; display: grid; gap: 1.2vmin; }
      li { display: grid; min-width: 0; min-height: 0; }
      .keys { display: flex; gap: 6px; align-items: center; font-size: max(0.85rem, 0.6em); white-space: nowrap; }
      .keys button { min-width: 36px; padding: 2px 8px; }
      .place { font-size: 0.8em; }
      :host(:not([awake])) { cursor: none; }
      /* the controls show themselves to who moves the pointer, or comes by key */
      .keys .controls { display: flex; gap: 6px; opacity: 0; }
      :host([awake]) .controls, .controls:focus-within, .paused .controls { opacity: 1; }
      /* on a phone they lie where the thumb is, over the last tile; a touch that only wakes them presses none */
      @media (max-width: 700px) {
        .top { flex-wrap: nowrap; }
        h1 { flex: 1 1 0; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
        .keys .place { display: none; }
        .keys .controls { position: absolute; z-index: 1; inset: auto 0 8px; margin-inline: auto; width: max-content; max-width: 100%; padding: 6px; background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius); box-shadow: 0 2px 12px rgb(0 0 0 / 25%); }
        .keys .controls button { min-height: 44px; min-width: 44px; font-size: 0.95rem; }
        :host(:not([awake])) .moved:not(.paused) .controls:not(:focus-within) { pointer-events: none; }
      }
    `,
  ];

  @property({ attribute: false }) page!: Page;
  @property({ attribute: false }) route!: Route;

  readonly #carousel = new Carousel(
    this,
    () => this.#slides().length,
    () => everyOf(this.route.query.get("every")),
  );
  readonly #pressed = (event: KeyboardEvent): void => this.#key(event);
  /** A finger wakes by its click alone: what it shows earlier would be pressed by it. */
  readonly #moved = (event: MouseEvent): void => {
    if (event.type === "click" || (event as PointerEvent).pointerType !== "touch") this.#wake();
  };
  #sleep: ReturnType<typeof setTimeout> | null = null;

  constructor() {
    super();
    new Ticking(this, 1_000);
    new Resizing(this);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("keydown", this.#pressed);
    for (const name of WAKING) window.addEventListener(name, this.#moved);
    this.#wake();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("keydown", this.#pressed);
    for (const name of WAKING) window.removeEventListener(name, this.#moved);
    if (this.#sleep !== null) clearTimeout(this.#sleep);
    if (document.fullscreenElement !== null) void document.exitFullscreen();
  }

  override render(): TemplateResult {
    const slides = this.#slides();
    const slide = slides[this.#carousel.index];
    const times = timesOf(this.page);
    return html`<div class="moved ${this.#carousel.paused ? "paused" : ""}">
      <div class="top">
        <h1>${slide?.title ?? "No KPI yet"}</h1>
        ${this.#keys(slides.length)}
        <span class="clock" title=${times.timezone}>${times.within(this.page.clock.now(), 0)} <span class="muted place">${times.timezone}</span></span>
        <lk-connection .page=${this.page}></lk-connection>
      </div>
      ${slide === undefined ? html`<p>The file has no KPI yet.</p>` : this.#tiles(slide)}
    </div>`;
  }

  protected override updated(_changed: PropertyValues): void {
    const [x, y] = SHIFTS_PX[this.#carousel.turns % SHIFTS_PX.length] ?? [0, 0];
    const moved = this.renderRoot.querySelector<HTMLElement>(".moved");
    moved?.style.setProperty("transform", `translate(${x}px, ${y}px)`);
    const list = this.renderRoot.querySelector<HTMLElement>("ul");
    const count = this.#slides()[this.#carousel.index]?.tiles.length ?? 1;
    const [columns, rows] = shapeOf(count, innerWidth / Math.max(1, innerHeight));
    list?.style.setProperty("grid-template", `repeat(${rows}, minmax(0, 1fr)) / repeat(${columns}, minmax(0, 1fr))`);
  }

  #tiles(slide: Slide): TemplateResult {
    return html`<ul aria-label=${slide.title}>
      ${repeat(
        slide.tiles,
        ({ kpi }) => `${slide.key} ${kpi.kpi}`,
        ({ kpi, title }) => html`<li><lk-tv-tile .page=${this.page} .kpi=${kpi} .heading=${title}></lk-tv-tile></li>`,
      )}
    </ul>`;
  }

  #keys(count: number): TemplateResult {
    const { index, paused } = this.#carousel;
    const place = count > 1 ? `${index + 1} of ${count}${paused ? ", paused" : ""}` : paused ? "paused" : "";
    return html`<div class="keys">
      <div class="controls">
        <button @click=${() => this.#carousel.go(-1)} aria-label="Back (left arrow)" title="Back (left arrow)">‹</button>
        <button @click=${() => this.#carousel.pause()} title="Space">${paused ? "Go on" : "Pause"}</button>
        <button @click=${() => this.#carousel.go(1)} aria-label="Next (right arrow)" title="Next (right arrow)">›</button>
        <button @click=${() => this.#fill()} title="F">Full screen</button>
        <button @click=${() => this.#leave()} title="Escape">Leave</button>
      </div>
      <span class="muted place">${place}</span>
    </div>`;
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const onButton = event.composedPath()[0] instanceof HTMLButtonElement;
    const does: Readonly<Record<string, () => void>> = {
      ArrowRight: () => this.#carousel.go(1),
      ArrowDown: () => this.#carousel.go(1),
      ArrowLeft: () => this.#carousel.go(-1),
      ArrowUp: () => this.#carousel.go(-1),
      // a button that has the focus takes the space bar itself
      " ": () => onButton || this.#carousel.pause(),
      f: () => this.#fill(),
      Escape: () => this.#leave(),
    };
    const action = does[event.key];
    if (action === undefined) return;
    if (!onButton || event.key !== " ") event.preventDefault();
    action();
  }

  /** Shows pointer and controls for a while. */
  #wake(): void {
    if (this.#sleep !== null) clearTimeout(this.#sleep);
    this.toggleAttribute("awake", true);
    this.#sleep = setTimeout(() => this.toggleAttribute("awake", false), AWAKE_MS);
  }

  #fill(): void {
    // a browser may refuse, as in a frame; the page fills its window all the same
    if (document.fullscreenElement === null) document.documentElement.requestFullscreen().catch(() => undefined);
    else void document.exitFullscreen();
  }

  #leave(): void {
    this.page.router.go("/");
  }

  #slides(): readonly Slide[] {
    const most = Math.min(innerWidth, innerHeight) < SMALL_PX ? SMALL_TILES : MOST_TILES;
    return slidesOf(this.page.dashboards, this.page.kpis, this.route.query.get("dashboard"), most);
  }
}
