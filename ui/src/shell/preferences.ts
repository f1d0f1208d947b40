/** What a viewer has chosen, kept in the browser: colours, in whose time zone times are shown, and by what name they write. */

export type Theme = "system" | "light" | "dark";
export type Zone = "viewer" | "kpi";

const THEMES: readonly Theme[] = ["system", "light", "dark"];

export class Preferences extends EventTarget {
  constructor(
    private readonly storage: Storage,
    private readonly root: HTMLElement,
  ) {
    super();
    this.#dress();
  }

  get theme(): Theme {
    return THEMES.find((theme) => theme === this.storage.getItem("theme")) ?? "system";
  }

  set theme(theme: Theme) {
    this.storage.setItem("theme", theme);
    this.#dress();
    this.dispatchEvent(new Event("changed"));
  }

  get zone(): Zone {
    return this.storage.getItem("zone") === "kpi" ? "kpi" : "viewer";
  }

  set zone(zone: Zone) {
    this.storage.setItem("zone", zone);
    this.dispatchEvent(new Event("changed"));
  }

  /** Who the viewer says they are, for what they write. */
  get author(): string {
    return this.storage.getItem("author") ?? "";
  }

  set author(author: string) {
    this.storage.setItem("author", author);
  }

  #dress(): void {
    const theme = this.theme;
    if (theme === "system") delete this.root.dataset["theme"];
    else this.root.dataset["theme"] = theme;
  }
}
