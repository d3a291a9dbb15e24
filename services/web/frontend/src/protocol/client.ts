/** Runs the protocol's state machine on a real WebSocket, clock and timers. */

import { decodeBinary } from "./binary";
import { type ConnectionState, connectionState } from "./connection";
import { decodeJson } from "./json";
import { type Action, INITIAL, type MachineEvent, type MachineState, step, type TimerName } from "./machine";
import { type Delta, type Geometry, type Hello, ProtocolError, type Snapshot, type Subscription } from "./messages";

export interface ClientListener {
  /** A message to apply, in order. */
  message(message: Hello | Geometry | Snapshot | Delta): void;
  /** The state of the connection may have changed. */
  connection(status: ConnectionStatus): void;
}

export interface ConnectionStatus {
  readonly state: ConnectionState;
  /** When the next attempt begins, in the time of Date.now(); null while there is none to wait for. */
  readonly retryAtMs: number | null;
  readonly reason: "protocol" | "outdated" | null;
}

export class Client {
  #state: MachineState = INITIAL;
  #socket: WebSocket | null = null;
  #layerNames: readonly string[] = [];
  #clockOffsetMs = 0;
  #heardMs: number | null = null;
  readonly #timers = new Map<TimerName, number>();

  constructor(
    private readonly url: string,
    private readonly listener: ClientListener,
  ) {}

  start(): void {
    this.#dispatch({ type: "start" });
  }

  /** Tries again at once instead of waiting for the countdown. */
  wake(): void {
    this.#dispatch({ type: "wake" });
  }

  /** Asks for other layers or another part of the world, now and after every reconnection. */
  subscribe(subscription: Subscription): void {
    this.#dispatch({ type: "subscribe", subscription });
  }

  get state(): MachineState {
    return this.#state;
  }

  /** The server's clock, in milliseconds since 1970. */
  serverNowMs(): number {
    return Date.now() + this.#clockOffsetMs;
  }

  /** When the server was last heard, by its own clock; null before that. */
  get heardMs(): number | null {
    return this.#heardMs;
  }

  get status(): ConnectionStatus {
    const { phase } = this.#state;
    return {
      state: connectionState(this.#state),
      retryAtMs: phase.name === "waiting" ? phase.retryAtMs : null,
      reason: phase.name === "stopped" ? phase.reason : null,
    };
  }

  #dispatch(event: MachineEvent): void {
    const before = this.#state;
    const { state, actions } = step(before, event, { nowMs: Date.now(), random: Math.random() });
    this.#state = state;
    for (const action of actions) {
      this.#perform(action);
    }
    if (state.phase !== before.phase || state.failures !== before.failures) {
      this.listener.connection(this.status);
    }
  }

  #perform(action: Action): void {
    switch (action.do) {
      case "connect":
        this.#connect(action.subprotocols);
        return;
      case "send":
        this.#socket?.send(action.text);
        return;
      case "close":
        this.#release()?.close(action.code, action.reason);
        return;
      case "set-timer":
        this.#clearTimer(action.timer);
        this.#timers.set(
          action.timer,
          window.setTimeout(() => this.#dispatch({ type: "timer", timer: action.timer }), action.afterMs),
        );
        return;
      case "clear-timer":
        this.#clearTimer(action.timer);
        return;
      case "clock":
        this.#clockOffsetMs = action.serverTimeSeconds * 1000 - Date.now();
        return;
      case "apply":
        if (action.message.type === "hello") {
          this.#layerNames = action.message.layers;
        }
        this.listener.message(action.message);
        return;
    }
  }

  #connect(subprotocols: readonly string[]): void {
    this.#release()?.close();
    const socket = new WebSocket(this.url, [...subprotocols]);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#dispatch({ type: "opened" });
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => this.#receive(event.data);
    socket.onclose = (event) => {
      this.#socket = null;
      this.#dispatch({ type: "closed", code: event.code });
    };
    this.#socket = socket;
  }

  /** Lets go of the socket: nothing that it still says is heard. */
  #release(): WebSocket | null {
    const socket = this.#socket;
    this.#socket = null;
    if (socket !== null) {
      socket.onopen = null;
      socket.onmessage = null;
      socket.onclose = null;
    }
    return socket;
  }

  #receive(data: string | ArrayBuffer): void {
    const binary = typeof data !== "string";
    try {
      const message = binary ? decodeBinary(data) : decodeJson(data, this.#layerNames);
      if (message !== null) {
        this.#dispatch({ type: "received", message });
        this.#heardMs = this.serverNowMs();
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) {
        throw error;
      }
      console.error(error.message);
      this.#dispatch({ type: "unreadable", binary });
    }
  }

  #clearTimer(timer: TimerName): void {
    const handle = this.#timers.get(timer);
    if (handle !== undefined) {
      window.clearTimeout(handle);
      this.#timers.delete(timer);
    }
  }
}
