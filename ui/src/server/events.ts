/** Server-sent events (HTML Living Standard, 9.2) out of pieces of a response, however they are cut. */

export interface ServerEvent {
  readonly event: string;
  readonly data: string;
}

export class EventParser {
  #rest = "";
  #event = "";
  #data: string[] = [];

  /** The events that are whole with this piece. */
  feed(piece: string): ServerEvent[] {
    const found: ServerEvent[] = [];
    const lines = (this.#rest + piece).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#line(line, found);
    return found;
  }

  #line(line: string, found: ServerEvent[]): void {
    if (line === "") {
      if (this.#data.length > 0) found.push({ event: this.#event || "message", data: this.#data.join("\n") });
      this.#event = "";
      this.#data = [];
      return;
    }
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.#event = value;
    else if (name === "data") this.#data.push(value);
  }
}
