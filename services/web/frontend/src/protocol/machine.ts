/**
 * The client's side of the protocol as a pure state machine: `step(state, event)` returns the next state and what to do.
 * Everything that decides about the connection is in this file; sockets, clocks and timers are in client.ts, and what
 * readers are told of it is in connection.ts.
 */

import { backoffMs } from "./backoff";
import {
  CLOSE,
  type Delta,
  EVERYTHING,
  encodeResume,
  encodeSubscribe,
  type Geometry,
  type Hello,
  LAYERS_OF,
  NOWHERE,
  PONG,
  type Position,
  PROTOCOL_VERSION,
  type ServerMessage,
  type Snapshot,
  SUBPROTOCOLS,
  type Subscription,
} from "./messages";

/** A hello may take long: a server that is behind this client holds it until it has caught up (W12). */
export const HELLO_DEADLINE_MS = 40_000;
/** The server pings about every 20 s (W9): after two missed pings nothing is to be expected of this connection. */
export const SILENCE_MS = 50_000;
/** A connection that lived this long was a good one: the next failure starts a new count. */
export const STEADY_MS = 10_000;

export type Phase =
  | { readonly name: "idle" }
  | { readonly name: "connecting"; readonly sinceMs: number }
  | { readonly name: "joining"; readonly sinceMs: number }
  | { readonly name: "live"; readonly sinceMs: number }
  | { readonly name: "waiting"; readonly retryAtMs: number }
  | { readonly name: "stopped"; readonly reason: "protocol" | "outdated" };

export interface MachineState {
  readonly phase: Phase;
  /** What the page has; sent to resume from. Moves only with data that was applied. */
  readonly position: Position;
  /** Where the server says that this client stands; a delta may begin no later than this. */
  readonly standing: number;
  readonly mode: "none" | "resumed" | "snapshot";
  /** The geometry of the last hello; a snapshot of another one is not for us. */
  readonly expected: string | null;
  /** The layers of the last hello. */
  readonly expectedLayers: string;
  readonly failures: number;
  readonly lastCloseCode: number;
  readonly everLive: boolean;
  /** Binary messages could not be read: ask for JSON only. */
  readonly jsonOnly: boolean;
  readonly subscription: Subscription;
  /** Whether what the page has is of other layers than it has asked for since: it cannot be resumed from. */
  readonly otherLayers: boolean;
}

export const INITIAL: MachineState = {
  phase: { name: "idle" },
  position: NOWHERE,
  standing: 0,
  mode: "none",
  expected: null,
  expectedLayers: "",
  failures: 0,
  lastCloseCode: CLOSE.normal,
  everLive: false,
  jsonOnly: false,
  subscription: EVERYTHING,
  otherLayers: false,
};

export type MachineEvent =
  | { readonly type: "start" }
  | { readonly type: "opened" }
  | { readonly type: "received"; readonly message: ServerMessage }
  /** A message could not be read or applied: what the page has can no longer be trusted. */
  | { readonly type: "unreadable"; readonly binary: boolean }
  | { readonly type: "closed"; readonly code: number }
  | { readonly type: "timer"; readonly timer: TimerName }
  /** The network came back, the page came to the front, or the reader asked for it: try now. */
  | { readonly type: "wake" }
  | { readonly type: "subscribe"; readonly subscription: Subscription };

export type TimerName = "retry" | "deadline";

export type Action =
  | { readonly do: "connect"; readonly subprotocols: readonly string[] }
  | { readonly do: "send"; readonly text: string }
  | { readonly do: "close"; readonly code: number; readonly reason: string }
  | { readonly do: "set-timer"; readonly timer: TimerName; readonly afterMs: number }
  | { readonly do: "clear-timer"; readonly timer: TimerName }
  | { readonly do: "apply"; readonly message: Hello | Geometry | Snapshot | Delta }
  | { readonly do: "clock"; readonly serverTimeSeconds: number };

export interface Surroundings {
  readonly nowMs: number;
  /** In [0, 1). */
  readonly random: number;
}

export interface Step {
  readonly state: MachineState;
  readonly actions: readonly Action[];
}

export function step(state: MachineState, event: MachineEvent, around: Surroundings): Step {
  switch (event.type) {
    case "start":
      return state.phase.name === "idle" ? connect(state, around) : stay(state);
    case "wake":
      return state.phase.name === "waiting" ? connect(state, around) : stay(state);
    case "subscribe":
      return subscribe(state, event.subscription);
    case "opened":
      return state.phase.name === "connecting" ? join(state, around) : stay(state);
    case "received":
      return isOpen(state) ? receive(state, event.message, around) : stay(state);
    case "unreadable":
      return isOpen(state)
        ? drop({ ...state, position: NOWHERE, jsonOnly: state.jsonOnly || event.binary }, "unreadable message", around)
        : stay(state);
    case "closed":
      return state.phase.name === "stopped" || state.phase.name === "waiting"
        ? stay(state)
        : lose(state, event.code, around);
    case "timer":
      return event.timer === "retry" ? retry(state, around) : expire(state, around);
  }
}

function stay(state: MachineState): Step {
  return { state, actions: [] };
}

function isOpen(state: MachineState): boolean {
  return state.phase.name === "joining" || state.phase.name === "live";
}

function connect(state: MachineState, { nowMs }: Surroundings): Step {
  return {
    state: { ...state, phase: { name: "connecting", sinceMs: nowMs }, mode: "none", standing: 0, expected: null },
    actions: [
      { do: "clear-timer", timer: "retry" },
      { do: "set-timer", timer: "deadline", afterMs: HELLO_DEADLINE_MS },
      {
        do: "connect",
        subprotocols: state.jsonOnly ? [SUBPROTOCOLS.json] : [SUBPROTOCOLS.binary, SUBPROTOCOLS.json],
      },
    ],
  };
}

function join(state: MachineState, { nowMs }: Surroundings): Step {
  return {
    state: { ...state, phase: { name: "joining", sinceMs: nowMs } },
    actions: [
      { do: "send", text: encodeResume(resumable(state), state.subscription) },
      { do: "set-timer", timer: "deadline", afterMs: HELLO_DEADLINE_MS },
    ],
  };
}

/** With other layers everything is to come anew, which a geometry of null says; but nothing that is older than what is here. */
function resumable({ position, otherLayers }: MachineState): Position {
  return otherLayers ? { ...position, geometry: null } : position;
}

/** Until the new snapshot comes, deltas of what was subscribed to before still fit what the page has. */
function subscribe(state: MachineState, subscription: Subscription): Step {
  const otherLayers = state.otherLayers || subscription.layers !== state.subscription.layers;
  return {
    state: { ...state, subscription, otherLayers },
    actions: isOpen(state) ? [{ do: "send", text: encodeSubscribe(subscription) }] : [],
  };
}

function receive(state: MachineState, message: ServerMessage, around: Surroundings): Step {
  const alive: Action = { do: "set-timer", timer: "deadline", afterMs: SILENCE_MS };
  switch (message.type) {
    case "ping":
      return {
        state: { ...state, standing: Math.max(state.standing, message.seq) },
        actions: [alive, { do: "send", text: PONG }, { do: "clock", serverTimeSeconds: message.serverTimeSeconds }],
      };
    case "hello":
      return greet(state, message, alive, around);
    case "geometry":
      return message.geometry === state.expected
        ? { state, actions: [alive, { do: "apply", message }] }
        : drop(state, "geometry was not announced", around);
    case "snapshot":
      if (state.mode !== "snapshot" || message.geometry !== state.expected) {
        return drop(state, "snapshot was not announced", around);
      }
      return {
        state: {
          ...state,
          position: { stream: message.stream, seq: message.seq, geometry: message.geometry },
          standing: Math.max(state.standing, message.seq),
          otherLayers: state.otherLayers && state.expectedLayers !== String(LAYERS_OF[state.subscription.layers]),
        },
        actions: [alive, { do: "apply", message }],
      };
    case "delta":
      return advance(state, message, alive, around);
  }
}

function greet(state: MachineState, hello: Hello, alive: Action, around: Surroundings): Step {
  if (hello.protocol !== PROTOCOL_VERSION) {
    return {
      state: { ...state, phase: { name: "stopped", reason: "outdated" } },
      actions: [
        { do: "clear-timer", timer: "deadline" },
        { do: "close", code: CLOSE.normal, reason: "protocol version" },
      ],
    };
  }
  const fits = hello.stream === state.position.stream && hello.geometry === state.position.geometry;
  if (hello.mode === "resumed" && !fits) {
    return drop({ ...state, position: NOWHERE }, "resumed something else", around);
  }
  const sinceMs = state.phase.name === "live" ? state.phase.sinceMs : around.nowMs;
  return {
    state: {
      ...state,
      phase: { name: "live", sinceMs },
      mode: hello.mode,
      expected: hello.geometry,
      expectedLayers: String(hello.layers),
      standing: hello.seq,
      everLive: true,
    },
    actions: [alive, { do: "clock", serverTimeSeconds: hello.serverTimeSeconds }, { do: "apply", message: hello }],
  };
}

function advance(state: MachineState, delta: Delta, alive: Action, around: Surroundings): Step {
  const { position } = state;
  if (delta.stream !== position.stream || delta.geometry !== position.geometry) {
    return drop(state, "delta of another stream or geometry", around);
  }
  if (delta.seq <= position.seq) {
    return { state, actions: [alive] };
  }
  if (delta.fromSeq > Math.max(position.seq, state.standing)) {
    return drop(state, "gap", around);
  }
  return {
    state: {
      ...state,
      position: { ...position, seq: delta.seq },
      standing: Math.max(state.standing, delta.seq),
    },
    actions: [alive, { do: "apply", message: delta }],
  };
}

/** Gives this connection up for a fresh one. The wait comes first, so that a faulty server is not hammered. */
function drop(state: MachineState, reason: string, around: Surroundings): Step {
  const lost = lose(state, CLOSE.normal, around);
  return { state: lost.state, actions: [{ do: "close", code: CLOSE.normal, reason }, ...lost.actions] };
}

function lose(state: MachineState, code: number, { nowMs, random }: Surroundings): Step {
  if (code === CLOSE.protocolError) {
    return {
      state: { ...state, phase: { name: "stopped", reason: "protocol" }, lastCloseCode: code },
      actions: [{ do: "clear-timer", timer: "deadline" }],
    };
  }
  const steady = state.phase.name === "live" && nowMs - state.phase.sinceMs >= STEADY_MS;
  const failures = steady ? 1 : state.failures + 1;
  const waitMs = backoffMs(failures - 1, code, random);
  return {
    state: {
      ...state,
      phase: { name: "waiting", retryAtMs: nowMs + waitMs },
      failures,
      // A refused connection has no code of its own: what ended the last good one says more.
      lastCloseCode: state.phase.name === "connecting" ? state.lastCloseCode : code,
    },
    actions: [
      { do: "clear-timer", timer: "deadline" },
      { do: "set-timer", timer: "retry", afterMs: waitMs },
    ],
  };
}

function retry(state: MachineState, around: Surroundings): Step {
  return state.phase.name === "waiting" ? connect(state, around) : stay(state);
}

function expire(state: MachineState, around: Surroundings): Step {
  return state.phase.name === "connecting" || isOpen(state) ? drop(state, "silent", around) : stay(state);
}
