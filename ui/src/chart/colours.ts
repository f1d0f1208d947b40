/** The page's colours as a canvas understands them. */

import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { Preferences } from "../shell/preferences.ts";
import { MOST_LINES } from "./dashes.ts";

const NAMES = ["text", "muted", "line", "surface", "accent", "alert", "watch"] as const;
type Name = (typeof NAMES)[number];

export interface Colours extends Readonly<Record<Name, string>> {
  /** By the names that `styleOf` gives. */
  readonly lines: Readonly<Record<string, string>>;
  readonly font: string;
  /** The page's usual size of text, in px. */
  readonly size: number;
}

/** Reads what custom properties stand for at present. `probe` is an element that is not seen, below the one that has them. */
export function coloursAt(probe: HTMLElement): Colours {
  const read = (name: string): string => {
    probe.style.setProperty("color", `var(--${name})`);
    return getComputedStyle(probe).color;
  };
  const lines = [...Array.from({ length: MOST_LINES }, (_, place) => `line-${place}`), "line-rest"];
  return {
    ...(Object.fromEntries(NAMES.map((name) => [name, read(name)])) as Record<Name, string>),
    lines: Object.fromEntries(lines.map((name) => [name, read(name)])),
    font: getComputedStyle(probe).fontFamily,
    size: Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16,
  };
}

/** A colour seen through: `rgb(1, 2, 3)` becomes `rgb(1, 2, 3, 0.5)`. */
export function faded(colour: string, alpha: number): string {
  return colour.replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`);
}

/** Tells when the page's colours are others: by choice, or as the system goes dark. */
export class ThemeWatch implements ReactiveController {
  readonly #dark = matchMedia("(prefers-color-scheme: dark)");
  #following: Preferences | null = null;

  constructor(
    host: ReactiveControllerHost,
    private readonly preferences: () => Preferences,
    private readonly changed: () => void,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    this.#dark.addEventListener("change", this.changed);
  }

  hostUpdate(): void {
    const preferences = this.preferences();
    if (preferences === this.#following) return;
    this.#following?.removeEventListener("changed", this.changed);
    this.#following = preferences;
    preferences.addEventListener("changed", this.changed);
  }

  hostDisconnected(): void {
    this.#dark.removeEventListener("change", this.changed);
    this.#following?.removeEventListener("changed", this.changed);
    this.#following = null;
  }
}
