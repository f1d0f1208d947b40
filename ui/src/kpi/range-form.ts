/** Asks for a range from one moment to another. Tells `range`: the range, or null where it is left as it is. */

import { css, html, LitElement, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { offsetIn } from "../chart/axis.ts";
import { shared } from "../shell/styles.ts";
import { fromWall, wallText } from "./wall.ts";

export type Range = { readonly from_ms: number; readonly to_ms: number };

@customElement("lk-range-form")
export class RangeForm extends LitElement {
  static override styles = [
    shared,
    css`
      form { display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: end; }
      label { display: grid; gap: 2px; font-size: 0.9rem; }
    `,
  ];

  @property() timezone = "UTC";
  @property({ attribute: false }) shown: readonly [from_ms: number, to_ms: number] = [0, 0];
  @state() private problem = "";
  #begin: readonly [string, string] | null = null;


  override render(): TemplateResult {
    // what was shown as the form was opened: a range that moves shall not move what somebody types
    const [from, to] = (this.#begin ??= this.shown.map((each) => wallText(each, offsetIn(this.timezone))) as [string, string]);
    return html`<form @submit=${this.#submit}>
      <label>From <input type="datetime-local" name="from" step="1" required value=${from} /></label>
      <label>To <input type="datetime-local" name="to" step="1" required value=${to} /></label>
      <button class="main">Show</button>
      <button type="button" @click=${() => this.#tell(null)}>Cancel</button>
      <p class="error" role="alert">${this.problem}</p>
    </form>`;
  }

  #submit(event: SubmitEvent): void {
    event.preventDefault();
    const given = new FormData(event.target as HTMLFormElement);
    const [from_ms, to_ms] = ["from", "to"].map((name) => fromWall(String(given.get(name)), offsetIn(this.timezone)));
    if (from_ms == null || to_ms == null || from_ms >= to_ms) this.problem = "The range ends before it begins; “to” must be after “from”.";
    else this.#tell({ from_ms, to_ms });
  }

  #tell(range: Range | null): void {
    this.dispatchEvent(new CustomEvent("range", { detail: range }));
  }
}
