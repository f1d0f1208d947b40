/** Somebody wants to silence or acknowledge something. */

import type { About, Kind } from "./types.ts";

export class AskEvent extends Event {
  static readonly NAME = "lk-say";

  constructor(
    readonly kind: Kind,
    readonly about: About,
  ) {
    super(AskEvent.NAME, { bubbles: true, composed: true });
  }
}
