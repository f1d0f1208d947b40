/** The numbers behind a chart as a table. Tells `toggled` as it is opened and closed. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Line } from "../chart/layers.ts";
import type { Kpi, Point } from "../server/types.ts";
import { type Page, timesOf } from "../shell/page.ts";
import { shared } from "../shell/styles.ts";
import { type Order, rowsOf, type TableRow } from "./rows.ts";

const FIRST_ROWS = 100;

@customElement("lk-points")
export class PointsTable extends LitElement {
  static override styles = [
    shared,
    css`
      summary { cursor: pointer; min-height: 32px; font-weight: 600; }
      th button { border-color: transparent; background: none; font-weight: 600; padding: 2px 4px; min-height: 28px; white-space: nowrap; }
      td { white-space: nowrap; }
      .scroll { max-height: 60vh; overflow: auto; }
      thead th { position: sticky; top: 0; background: var(--surface); padding: 2px 6px; }
      thead .state-head { padding: 6px 10px; vertical-align: middle; }
      thead th:first-child { padding-inline-start: 5px; }
      .number { font-variant-numeric: tabular-nums; }
    `,
  ];

  @property({ attribute: false }) page!: Page;
  @property({ attribute: false }) kpi!: Kpi;
  @property({ attribute: false }) lines: readonly Line[] = [];
  @property() step = "";
  /** What an earlier time that is compared is called. */
  @property({ attribute: false }) compared: string | null = null;
  @property({ type: Boolean }) open = false;
  @state() private order: Order = { by: "time", ascending: false };
  @state() private all = false;

  override render(): TemplateResult {
    return html`<details class="panel" ?open=${this.open} @toggle=${this.#toggled}>
      <summary>Table</summary>
      ${this.open ? this.#table() : nothing}
    </details>`;
  }

  #table(): TemplateResult {
    const rows = rowsOf(this.lines, this.order);
    const shown = this.all ? rows : rows.slice(0, FIRST_ROWS);
    const times = timesOf(this.page, this.kpi);
    const compared = this.lines.length === 1 ? this.compared : null;
    return html`
      <div class="scroll" tabindex="0" role="region" aria-label="Numbers">
        <table>
          <thead>
            <tr>
              ${this.#head("time", `Time (${times.timezone}), ${this.step} from`)}
              ${this.lines.map((line, index) => this.#head(index, line.kind === "whole" ? this.kpi.title : line.name))}
              ${compared === null ? nothing : html`<th class="number state-head" scope="col">${compared}</th>`}
              <th scope="col" class="state-head">State</th>
            </tr>
          </thead>
          <tbody>
            ${shown.map((row) => this.#row(row, times.full(row.time_ms), compared !== null))}
          </tbody>
        </table>
        ${rows.length === 0 ? html`<p class="muted">There are no numbers in this range.</p>` : nothing}
      </div>
      ${shown.length < rows.length ? html`<button @click=${() => (this.all = true)}>Show all ${rows.length} rows</button>` : nothing}
    `;
  }

  #head(by: Order["by"], text: string): TemplateResult {
    const { order } = this;
    const sorted = order.by === by;
    const way = order.ascending ? "ascending" : "descending";
    return html`<th scope="col" class=${by === "time" ? "" : "number"} aria-sort=${sorted ? way : "none"}>
      <button @click=${() => (this.order = { by, ascending: sorted ? !order.ascending : false })}>
        ${text} <span aria-hidden="true">${sorted ? (order.ascending ? "▲" : "▼") : "↕"}</span>
      </button>
    </th>`;
  }

  #row({ points, word }: TableRow, time: string, compared: boolean): TemplateResult {
    const text = (point: Point | undefined): string => this.page.numbers.text(point?.value, this.kpi.unit);
    return html`<tr>
      <td>${time}</td>
      ${points.map((point) => html`<td class="number">${text(point)}</td>`)}
      ${compared ? html`<td class="number">${this.page.numbers.text(points[0]?.before, this.kpi.unit)}</td>` : nothing}
      <td>${word}</td>
    </tr>`;
  }

  #toggled(event: Event): void {
    const { open } = event.target as HTMLDetailsElement;
    if (open !== this.open) this.dispatchEvent(new CustomEvent("toggled", { detail: open }));
  }
}
