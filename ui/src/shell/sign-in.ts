/** Asks for a token where the server wants one. */

import { css, html, LitElement, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Api } from "../server/api.ts";
import { shared } from "./styles.ts";

@customElement("lk-sign-in")
export class SignIn extends LitElement {
  static override styles = [
    shared,
    css`
      :host { display: grid; place-items: center; min-height: 60vh; padding: var(--gap); }
      form { display: grid; gap: 12px; width: min(26rem, 100%); }
    `,
  ];

  @property({ attribute: false }) api!: Api;
  @state() private problem = "";
  @state() private busy = false;

  override render(): TemplateResult {
    return html`<form class="panel" @submit=${this.#submit}>
      <h1>Sign in</h1>
      <p class="muted">This server shows its numbers to those who have a token. Whoever runs it can give you one.</p>
      <label for="token">Token</label>
      <input id="token" name="token" type="password" autocomplete="current-password" required aria-describedby="problem" />
      <p id="problem" class="error" role="alert">${this.problem}</p>
      <button class="main" ?disabled=${this.busy}>Sign in</button>
    </form>`;
  }

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const token = String(new FormData(event.target as HTMLFormElement).get("token"));
    this.busy = true;
    try {
      await this.api.change("POST", "/v1/session", { token });
      this.problem = "";
      this.dispatchEvent(new Event("signed-in"));
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    } finally {
      this.busy = false;
    }
  }
}
