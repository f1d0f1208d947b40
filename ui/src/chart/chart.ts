/** A chart of lines over time, which moves by itself. */

import { html, LitElement, nothing, type PropertyValues, type TemplateResult, unsafeCSS } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import sheet from "uplot/dist/uPlot.min.css" with { type: "text" };
import type { Kpi } from "../server/types.ts";
import type { Page } from "../shell/page.ts";
import { timesOf } from "../shell/page.ts";
import { shared } from "../shell/styles.ts";
import { offsetIn, TickTexts } from "./axis.ts";
import { brush } from "./brush.ts";
import { chartStyles } from "./chart-styles.ts";
import { type Colours, coloursAt, ThemeWatch } from "./colours.ts";
import { Frames } from "./frames.ts";
import { keyed, KEYS_HINT } from "./keys.ts";
import { type Drawing, drawingOf, type Line } from "./layers.ts";
import { legend, legendStyles, type Sign } from "./legend.ts";
import { palette } from "./palette.ts";
import { pictureOf } from "./picture.ts";
import { Plot } from "./plot.ts";
import { brief, readingAt, spoken, summaryOf, timesOfLines, valueAt, type Wording } from "./readout.ts";
import type { Scene, Span } from "./scene.ts";
import { lengthOf, ordered, type Window, windowAt } from "./window.ts";

const DAY_MS = 86_400_000;
/** Units that are longer are not said at each number of the upright axis: `ms`, `purchases/min`. */
const LONGEST_UNIT = 6;

/** Tells `zoom` ({from_ms, to_ms}), `zoom-out`, and `pick` (a line of a slice). */
@customElement("lk-chart")
export class Chart extends LitElement {
  static override styles = [
    shared,
    unsafeCSS(sheet),
    palette,
    legendStyles,
    chartStyles,
  ];

  @property({ attribute: false }) page!: Page;
  @property({ attribute: false }) kpi!: Kpi;
  @property({ attribute: false }) lines: readonly Line[] = [];
  @property({ attribute: false }) step_ms = 60_000;
  @property({ attribute: false }) window: Window = { span_ms: 3_600_000 };
  /** What an earlier time that is compared is called. */
  @property({ attribute: false }) compared: string | null = null;
  @property({ attribute: false }) target: number | null = null;
  @property({ attribute: false }) spans: readonly Span[] = [];
  /** Without legend and words, as in a tile. */
  @property({ type: Boolean }) compact = false;
  /** Whether the numbers are not there yet. */
  @property({ type: Boolean }) loading = false;
  /** What is in the way; shown in place of the summary. */
  @property() problem = "";
  @state() private cursor_ms: number | null = null;
  @query(".plot") private box!: HTMLElement;
  @query(".probe") private probe!: HTMLElement;

  readonly #frames = new Frames(this, () => this.#draw());
  #plot: Plot | null = null;
  /** In px, when it was last drawn. */
  #width = 0;
  #colours: Colours | null = null;
  #brushed: readonly [area: HTMLElement, end: () => void] | null = null;
  #anchor_ms: number | null = null;
  #words: readonly [key: string, ticks: TickTexts, offset: (time_ms: number) => number] | null = null;

  constructor() {
    super();
    new ThemeWatch(this, () => this.page.preferences, () => this.#recolour());
  }

  /** The chart as a PNG. */
  picture(title: string, range: string): Promise<Blob> {
    const canvas = this.#plot?.canvas;
    if (!canvas || this.#colours === null) throw new Error("There is no chart to make a picture of.");
    return pictureOf(canvas, { title, range, lines: this.lines, others: this.#others() }, this.#colours);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#brushed?.[1]();
    this.#brushed = null;
    this.#plot?.destroy();
    this.#plot = null;
  }

  override render(): TemplateResult {
    const words = this.#wording();
    const times = timesOfLines(this.lines);
    const at = this.cursor_ms;
    const reading = at === null ? null : readingAt(this.lines, at, words);
    const place = at === null ? times.length - 1 : times.indexOf(at);
    const said = reading === null ? summaryOf(this.lines, words) : spoken(this.lines, reading);
    const values = this.lines.length > 1 ? this.lines.map((line) => valueAt(line, at, words)) : [];
    return html`
      ${this.#say(at, said, words)}
      <div class="framed">
        ${this.compact && reading !== null ? html`<div class="tip ${place > times.length / 2 ? "start" : ""}" aria-hidden="true">${said}</div>` : nothing}
        <div
          class="plot"
          role="slider"
          tabindex="0"
          aria-label="Chart of ${this.kpi.title}"
          aria-describedby="say hint"
          aria-orientation="horizontal"
          aria-valuemin="0"
          aria-valuemax=${Math.max(0, times.length - 1)}
          aria-valuenow=${Math.max(0, place)}
          aria-valuetext=${reading === null ? "no point chosen" : said}
          @keydown=${this.#key}
          @blur=${() => this.#hold(null)}
          @dblclick=${() => this.#tell("zoom-out")}
        ></div>
      </div>
      <span class="probe" hidden></span>
      <p id="hint" class="hidden-text">${KEYS_HINT}</p>
      ${this.compact ? nothing : legend(this.lines, values, this.#others(), (line) => this.#tell("pick", line))}
    `;
  }

  /** What the chart says in words; of several lines their values stand in the legend, and the words are for who does not see it. */
  #say(at: number | null, said: string, words: Wording): TemplateResult {
    if (this.problem) return html`<p class="say error" id="say" role="alert">${this.problem}</p>`;
    const kind = this.compact ? "hidden-text" : this.lines.length === 1 ? "say one" : "say";
    if (this.loading) return html`<p class=${kind} id="say">Loading…</p>`;
    if (this.compact || this.lines.length < 2) return html`<p class=${kind} id="say">${said}</p>`;
    return html`<p class=${kind} id="say">${brief(this.lines, at, words)}<span class="hidden-text"> ${said}</span></p>`;
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.size === 1 && changed.has("cursor_ms")) return;
    this.#frames.ask();
    const span_ms = "span_ms" in this.window ? this.window.span_ms : null;
    // once for each px that it moves by; asking the box for its width here would cost a layout for each chart and commit
    this.#frames.beat(span_ms === null ? null : span_ms / Math.max(200, this.#width));
  }

  #wording(): Wording {
    const times = timesOf(this.page, this.kpi);
    const range_ms = lengthOf(this.window);
    // of a long range in short steps a date alone would not say which point is meant
    const time = (time_ms: number): string => (this.step_ms < DAY_MS && range_ms > 2 * DAY_MS ? times.full(time_ms) : times.within(time_ms, range_ms));
    return { numbers: this.page.numbers, unit: this.kpi.unit, time, full: (time_ms) => times.full(time_ms), compared: this.compared };
  }

  /** Times may be in another zone now, too. */
  #recolour(): void {
    this.#colours = null;
    this.requestUpdate();
  }

  /** What the legend says beside the lines: only what can be seen. */
  #others(): (readonly [Sign, string])[] {
    const points = this.lines.flatMap((line) => line.points);
    const found: (readonly [Sign, string])[] = [];
    if (points.some((point) => !point.final)) found.push(["open", "provisional"]);
    if (points.some((point) => !point.final && point.predicted !== undefined)) found.push(["predicted", "prediction"]);
    if (points.some((point) => point.low !== undefined)) found.push(["band", "expected"]);
    if (this.compared !== null && points.some((point) => (point.before ?? null) !== null)) found.push(["before", this.compared]);
    if (this.target !== null) found.push(["target", `target ${this.page.numbers.text(this.target, this.kpi.unit)}`]);
    if (points.some((point) => point.corrected !== undefined)) found.push(["corrected", "corrected after it was final"]);
    return found;
  }

  #draw(): void {
    const { clientWidth: width, clientHeight: height } = this.box;
    if (width === 0 || height === 0) return;
    this.#width = width;
    this.#colours ??= coloursAt(this.probe);
    this.#plot ??= new Plot(this.box, (time_ms) => this.#pointed(time_ms));
    this.#plot.draw(this.#scene(this.#colours, width), width, height);
    const over = this.#plot.over;
    if (over === null || over === this.#brushed?.[0]) return;
    this.#brushed?.[1]();
    this.#brushed = [over, this.#brush(over, this.#plot)];
  }

  #scene(colours: Colours, width: number): Scene {
    const now_ms = this.page.clock.now();
    const { timezone } = timesOf(this.page, this.kpi);
    if (this.#words?.[0] !== timezone) this.#words = [timezone, new TickTexts(this.page.locales, timezone), offsetIn(timezone)];
    const [, ticks, offset] = this.#words;
    const { target } = this;
    const unit = (this.kpi.unit?.length ?? 0) > LONGEST_UNIT ? null : this.kpi.unit;
    const stepped = /^\s*last\s*\(/i.test(this.kpi.value);
    const drawn = (also: readonly number[]): Drawing => drawingOf(this.lines, this.step_ms, { also, stepped });
    const plain = drawn([]);
    // a target that is far away would make the line flat
    const near = target !== null && Math.abs(target) <= 3 * Math.max(...plain.extent.map(Math.abs));
    return {
      ...{ lines: this.lines, now_ms, ticks, offset, colours, target, spans: this.spans, compact: this.compact },
      ...windowAt(this.window, now_ms, width),
      drawing: near ? drawn([target]) : plain,
      stepped,
      short: (value) => this.page.numbers.text(value, unit, { compact: true, round: true }),
    };
  }

  #brush(over: HTMLElement, plot: Plot): () => void {
    return brush(over, {
      at: (x, touch) => {
        this.#anchor_ms = null;
        if (touch) plot.point(x);
        else plot.release();
      },
      choosing: (part) => plot.choose(part && [plot.timeAt(part[0]), plot.timeAt(part[1])]),
      chosen: (from, to) => this.#zoom(plot.timeAt(from), plot.timeAt(to)),
    });
  }

  #pointed(time_ms: number | null): void {
    this.cursor_ms = time_ms === null ? null : (timesOfLines(this.lines).findLast((each) => each <= time_ms) ?? null);
  }

  #hold(time_ms: number | null): void {
    this.cursor_ms = time_ms;
    this.#plot?.hold(time_ms);
    if (time_ms === null) this.#anchor_ms = null;
    this.#plot?.choose(time_ms === null || this.#anchor_ms === null ? null : ordered(this.#anchor_ms, time_ms));
  }

  #key(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const times = timesOfLines(this.lines);
    const placeOf = (time_ms: number | null): number | null => (time_ms === null || !times.includes(time_ms) ? null : times.indexOf(time_ms));
    const before = { place: placeOf(this.cursor_ms), anchor: placeOf(this.#anchor_ms), zoom: "none" } as const;
    const found = keyed(event.key, event.shiftKey, before, times.length);
    if (found === null) return;
    event.preventDefault();
    const here_ms = this.cursor_ms;
    if (found.zoom === "part" && this.#anchor_ms !== null && here_ms !== null) {
      const [from_ms, to_ms] = ordered(this.#anchor_ms, here_ms);
      this.#zoom(from_ms, to_ms + this.step_ms);
    } else if (found.zoom === "in") {
      const { from_ms, to_ms } = windowAt(this.window, this.page.clock.now(), this.box.clientWidth);
      const middle_ms = here_ms ?? (from_ms + to_ms) / 2;
      this.#zoom(middle_ms - (to_ms - from_ms) / 4, middle_ms + (to_ms - from_ms) / 4);
    } else if (found.zoom === "out") this.#tell("zoom-out");
    this.#anchor_ms = found.anchor === null ? null : (times[found.anchor] ?? null);
    this.#hold(found.place === null ? null : (times[found.place] ?? null));
  }

  #zoom(from_ms: number, to_ms: number): void {
    this.#hold(null);
    this.#tell("zoom", { from_ms: Math.round(from_ms), to_ms: Math.round(to_ms) });
  }

  #tell(name: string, detail?: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
