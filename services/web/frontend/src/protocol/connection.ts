/** What a reader is told about the connection. Pure. */

import type { MachineState } from "./machine";
import { CLOSE } from "./messages";

/** From this many failures in a row the page says "disconnected" rather than "reconnecting". */
export const FAILURES_UNTIL_DISCONNECTED = 4;

export type ConnectionState =
  | "connecting"
  | "live"
  | "reconnecting"
  | "restarting"
  | "closing"
  | "disconnected"
  | "stopped";

export function connectionState(state: MachineState): ConnectionState {
  switch (state.phase.name) {
    case "live":
      return "live";
    case "stopped":
      return "stopped";
    default:
      if (state.failures >= FAILURES_UNTIL_DISCONNECTED) {
        return "disconnected";
      }
      if (!state.everLive && state.failures === 0) {
        return "connecting";
      }
      if (state.lastCloseCode === CLOSE.goingAway) {
        return "closing";
      }
      return state.lastCloseCode === CLOSE.restarting ? "restarting" : "reconnecting";
  }
}
