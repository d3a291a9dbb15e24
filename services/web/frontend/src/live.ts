/** The live side: the connection, the values as they come over it, how fresh they are, and words about all that. */

import { Client, type ConnectionStatus } from "./protocol/client";
import type { ConnectionState } from "./protocol/connection";
import type { Delta, Geometry, Hello, Snapshot } from "./protocol/messages";
import { type Freshness, freshness } from "./state/freshness";
import { type Cells, Store } from "./state/store";
import { Updates } from "./state/updates";
import { TEXT } from "./text";
import { utc } from "./time/words";
import type { Announcer } from "./ui/announcer";

export interface LiveListener {
  /** The map has other places; `whole` follows. */
  readonly places: (cells: Cells) => void;
  /** All values have come anew. */
  readonly whole: () => void;
  /** The rows of these cells have changed; of none when only time went on. */
  readonly changed: (cells: Uint32Array) => void;
  readonly connection: () => void;
}

export class Live {
  readonly store = new Store();
  readonly updates = new Updates();
  readonly client: Client;
  readonly #announcer: Announcer;
  readonly #listener: LiveListener;
  /** What was last told of the connection: attempt after attempt is one state. */
  #said: ConnectionState = "connecting";

  constructor(announcer: Announcer, listener: LiveListener) {
    this.#announcer = announcer;
    this.#listener = listener;
    const url = new URL("/ws", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.client = new Client(url.href, {
      message: (message) => this.#receive(message),
      connection: (status) => this.#connectionChanged(status),
    });
  }

  /** Connects, and tries again at once when the network is there or somebody looks. */
  start(): void {
    this.client.start();
    window.addEventListener("online", () => this.client.wake());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) {
        this.client.wake();
      }
    });
  }

  get nowMs(): number {
    return this.client.serverNowMs();
  }

  /** Until when the map was kept up, in words; null before there was a connection. */
  get knownUntil(): string | null {
    const { heardMs } = this.client;
    return heardMs === null ? null : utc(heardMs / 1000, this.nowMs);
  }

  freshness(): Freshness | null {
    const { cells, hello } = this.store;
    return cells === null || hello === null ? null : freshness(cells, this.nowMs / 1000, hello.staleAfterSeconds);
  }

  #receive(message: Hello | Geometry | Snapshot | Delta): void {
    const change = this.store.apply(message);
    const { cells } = this.store;
    if (change === null || cells === null) {
      return;
    }
    if (change.kind === "delta") {
      if (change.cells.length > 0) {
        this.#announcer.mention(TEXT.announce.updated(this.updates.add(change.cells, Date.now())));
      }
      this.#listener.changed(change.cells);
      return;
    }
    if (change.kind === "geometry") {
      this.#listener.places(cells);
    }
    this.#listener.whole();
  }

  #connectionChanged(status: ConnectionStatus): void {
    this.#listener.connection();
    const { state } = status;
    if (state !== this.#said) {
      this.#said = state;
      // That it has stopped, and why, is told with the notice on the map.
      if (state !== "connecting" && state !== "stopped") {
        this.#announcer.say(TEXT.announce[state]);
      }
    }
  }
}
