/** Streams by way of what all pages of a browser share: a worker (`sharing-worker.ts`) that ends with the last of them. */

import { type Api, ServerError } from "./api.ts";
import type { Told } from "./sharing.ts";
import { Silence } from "./silence.ts";
import { type Heard, OwnStreams, type Streams } from "./streams.ts";
import type { Want } from "./types.ts";

/** How long the worker may take to say that it is there. */
const BEGIN_MS = 5_000;
/** The worker gives a sign of life every 10 s. */
const SILENT_MS = 35_000;

/** The first thing a page says to the worker. */
export interface Joining {
  readonly token: string | null;
  readonly wants: readonly string[];
}

/** `here`: a sign of life, which a page answers by the same. */
export type Said = Told | "here";
export type Answered = "here" | "leave";

/** The worker's address, which the build says. */
declare const SHARING_WORKER: string;

/** A way to what is shared; made anew for each stream, since what is shared may have died. Throws where nothing can be. */
export type Connect = () => Pick<SharedWorker, "port" | "onerror">;

/** The streams of a page; `token` as the Api has it. */
export function streamsOf(api: Api, token: string | null = null): Streams {
  return new SharedStreams(() => new SharedWorker(SHARING_WORKER), token, new OwnStreams(api));
}

export class SharedStreams implements Streams {
  #alone = false;

  /** Where nothing is shared, or what is shared does not answer, `own` opens the streams. */
  constructor(
    private readonly connect: Connect,
    private readonly token: string | null,
    private readonly own: Streams,
  ) {}

  async hear(wants: readonly Want[], signal: AbortSignal, heard: (what: Heard) => void): Promise<never> {
    if (!this.#alone) {
      const why = await this.#share(wants, signal, heard);
      if (why instanceof Error) throw why;
      this.#alone = why === "broken";
    }
    return this.own.hear(wants, signal, heard);
  }

  /** Hears what is shared until it ends, with an error; or says that nothing is shared: `broken`, or `alone` for these wants only. */
  #share(wants: readonly Want[], signal: AbortSignal, heard: (what: Heard) => void): Promise<Error | "broken" | "alone"> {
    return new Promise((done) => {
      let worker: ReturnType<Connect>;
      try {
        worker = this.connect();
      } catch {
        done("broken"); // there is no such thing here, or not in this frame
        return;
      }
      const { port } = worker;
      const late = setTimeout(() => end("broken"), BEGIN_MS);
      const silence = new Silence(SILENT_MS, () => end(new ServerError("The stream is silent.", 0)));
      const left = (): void => end(new ServerError("The page is left.", 0));
      const end = (why: Error | "broken" | "alone"): void => {
        clearTimeout(late);
        silence.end();
        removeEventListener("pagehide", left);
        signal.removeEventListener("abort", left);
        port.onmessage = null;
        port.postMessage("leave" satisfies Answered);
        port.close();
        done(why);
      };
      worker.onerror = () => end("broken");
      port.onmessage = ({ data }: MessageEvent<Said>) => {
        clearTimeout(late);
        silence.heard();
        if (data === "here") port.postMessage("here" satisfies Answered);
        else if (data === "alone") end("alone");
        else if ("failed" in data) end(new ServerError(data.failed, data.status));
        else heard(data);
      };
      addEventListener("pagehide", left);
      signal.addEventListener("abort", left);
      port.postMessage({ token: this.token, wants: wants.map((want) => JSON.stringify(want)) } satisfies Joining);
    });
  }
}
