/** Streams of what changes, and how one is heard: by the page itself, or by what pages share (`shared.ts`). */

import { type Api, ServerError } from "./api.ts";
import { EventParser } from "./events.ts";
import { Silence } from "./silence.ts";
import type { Want } from "./types.ts";

/** The server gives a sign of life every 15 s. */
const SILENT_MS = 35_000;

/** A stream's event; its data is what the JSON says. */
export interface Heard {
  readonly event: string;
  readonly data: unknown;
}

export interface Streams {
  /**
   * Hears a stream of what is wanted, and of alerts, until `signal` says that it is enough.
   *
   * A point says which want it is of by its place. Rejects with a ServerError when the stream can't be had, ends, or is silent for too long.
   */
  hear(wants: readonly Want[], signal: AbortSignal, heard: (what: Heard) => void): Promise<never>;
}

/** Each stream a connection to the server. */
export class OwnStreams implements Streams {
  constructor(private readonly api: Api) {}

  async hear(wants: readonly Want[], signal: AbortSignal, heard: (what: Heard) => void): Promise<never> {
    const response = await this.api.stream(wants, true, signal);
    const parser = new EventParser();
    const reader = (response.body ?? new Blob().stream()).pipeThrough(new TextDecoderStream()).getReader();
    let why = "The stream has ended.";
    const silence = new Silence(SILENT_MS, () => {
      why = "The stream is silent.";
      void reader.cancel(); // which ends it
    });
    try {
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        silence.heard();
        for (const { event, data } of parser.feed(piece.value)) if (!signal.aborted) heard({ event, data: JSON.parse(data) as unknown });
      }
    } finally {
      silence.end();
    }
    throw new ServerError(why, 0);
  }
}
