/** Tells when nothing was heard for a while. */

export class Silence {
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** `told` is called `most_ms` after the last that was heard, once. */
  constructor(
    private readonly most_ms: number,
    private readonly told: () => void,
  ) {
    this.heard();
  }

  /** Begins the wait anew. */
  heard(): void {
    this.end();
    this.#timer = setTimeout(this.told, this.most_ms);
  }

  end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
