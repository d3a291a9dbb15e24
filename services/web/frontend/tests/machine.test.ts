import { describe, expect, it } from "vitest";
import { connectionState, FAILURES_UNTIL_DISCONNECTED } from "../src/protocol/connection";
import { type Action, INITIAL, type MachineEvent, type MachineState, STEADY_MS, step } from "../src/protocol/machine";
import {
  CLOSE,
  type Delta,
  type Geometry,
  type Hello,
  PONG,
  type ServerMessage,
  type Snapshot,
} from "../src/protocol/messages";

const cells = { validAt: new Uint32Array(), fetchedAt: new Uint32Array(), source: new Uint8Array(), layers: [] };

function hello(part: Partial<Hello> = {}): Hello {
  return {
    type: "hello",
    protocol: 1,
    stream: "s",
    seq: 10,
    mode: "snapshot",
    geometry: "g",
    layers: [],
    serverTimeSeconds: 100,
    staleAfterSeconds: 60,
    version: "1",
    ...part,
  };
}
const geometry: Geometry = {
  type: "geometry",
  geometry: "g",
  ids: [],
  latitude: new Float64Array(),
  longitude: new Float64Array(),
  name: [],
};
const snapshot = (part: Partial<Snapshot> = {}): Snapshot => ({
  type: "snapshot",
  stream: "s",
  seq: 10,
  geometry: "g",
  ...cells,
  ...part,
});
const delta = (fromSeq: number, seq: number, part: Partial<Delta> = {}): Delta => ({
  type: "delta",
  stream: "s",
  fromSeq,
  seq,
  geometry: "g",
  cells: new Uint32Array(),
  ...cells,
  ...part,
});

/** Plays events one after another and keeps all actions. */
class Play {
  state: MachineState = INITIAL;
  actions: Action[] = [];
  nowMs = 0;

  do(...events: MachineEvent[]): this {
    for (const event of events) {
      const next = step(this.state, event, { nowMs: this.nowMs, random: 0.5 });
      this.state = next.state;
      this.actions = [...next.actions];
    }
    return this;
  }

  receive(...messages: ServerMessage[]): this {
    return this.do(...messages.map((message) => ({ type: "received", message }) as const));
  }

  join(): this {
    return this.do({ type: "start" }, { type: "opened" });
  }

  live(): this {
    return this.join().receive(hello(), geometry, snapshot());
  }

  get applied(): string[] {
    return this.actions.flatMap((action) => (action.do === "apply" ? [action.message.type] : []));
  }

  get sent(): unknown[] {
    return this.actions.flatMap((action) => (action.do === "send" ? [JSON.parse(action.text)] : []));
  }
}

describe("joining", () => {
  it("offers the binary format first and speaks first, with nulls when it has nothing (W1)", () => {
    const play = new Play().do({ type: "start" });
    expect(play.actions).toContainEqual({ do: "connect", subprotocols: ["isotherm.v1.bin", "isotherm.v1.json"] });
    play.do({ type: "opened" });
    expect(play.sent).toEqual([{ type: "resume", stream: null, seq: 0, geometry: null }]);
  });

  it("takes hello, geometry and snapshot, and stands where the snapshot stands (W3)", () => {
    const play = new Play().live();
    expect(play.applied).toEqual(["snapshot"]);
    expect(play.state.position).toEqual({ stream: "s", seq: 10, geometry: "g" });
    expect(connectionState(play.state)).toBe("live");
  });

  it("asks for a reload when the server speaks another protocol", () => {
    const play = new Play().join().receive(hello({ protocol: 2 }));
    expect(play.state.phase).toEqual({ name: "stopped", reason: "outdated" });
  });

  it("answers a ping with a pong (W9)", () => {
    const play = new Play().live().receive({ type: "ping", seq: 10, serverTimeSeconds: 1 });
    expect(play.actions).toContainEqual({ do: "send", text: PONG });
  });
});

describe("following", () => {
  it("applies a delta that continues and moves on", () => {
    const play = new Play().live().receive(delta(10, 12));
    expect(play.applied).toEqual(["delta"]);
    expect(play.state.position.seq).toBe(12);
  });

  it("ignores a delta that is not newer (W5)", () => {
    const play = new Play().live().receive(delta(8, 10));
    expect(play.applied).toEqual([]);
    expect(play.state.position.seq).toBe(10);
    expect(connectionState(play.state)).toBe("live");
  });

  it("lets go of a connection that left something out, and resumes from what it has", () => {
    const play = new Play().live().receive(delta(14, 15));
    expect(play.applied).toEqual([]);
    expect(play.actions).toContainEqual({ do: "close", code: CLOSE.normal, reason: "gap" });
    play.do({ type: "timer", timer: "retry" }, { type: "opened" });
    expect(play.sent).toEqual([{ type: "resume", stream: "s", seq: 10, geometry: "g" }]);
  });

  it("takes a delta that begins where the server said that this client stands", () => {
    const play = new Play().live().receive({ type: "ping", seq: 14, serverTimeSeconds: 1 }, delta(14, 15));
    expect(play.applied).toEqual(["delta"]);
  });

  it("does not count what a ping says as data that it has", () => {
    const play = new Play().live().receive({ type: "ping", seq: 14, serverTimeSeconds: 1 });
    expect(play.state.position.seq).toBe(10);
  });

  it.each([delta(10, 11, { stream: "other" }), delta(10, 11, { geometry: "other" })])(
    "lets go of a connection whose delta is not for it",
    (message) => {
      expect(new Play().live().receive(message).state.phase.name).toBe("waiting");
    },
  );

  it("takes a new geometry in the middle of a connection (W8)", () => {
    const play = new Play()
      .live()
      .receive(hello({ geometry: "h", seq: 20 }), { ...geometry, geometry: "h" }, snapshot({ geometry: "h", seq: 20 }));
    expect(play.state.position).toEqual({ stream: "s", seq: 20, geometry: "h" });
    expect(connectionState(play.state)).toBe("live");
  });

  it("refuses a snapshot that was not announced", () => {
    const play = new Play().live().receive(hello({ mode: "resumed" }), snapshot({ seq: 30 }));
    expect(play.state.phase.name).toBe("waiting");
    expect(play.state.position.seq).toBe(10);
  });
});

describe("subscribing", () => {
  const wind = { layers: "wind", tile: "n3" } as const;

  it("says so at once when it is live, and with every resume", () => {
    const play = new Play().live();
    play.do({ type: "subscribe", subscription: wind });
    expect(play.actions).toContainEqual({ do: "send", text: JSON.stringify({ type: "subscribe", ...wind }) });
    play.do({ type: "closed", code: 1006 }, { type: "timer", timer: "retry" }, { type: "opened" });
    const said = play.actions.find((action) => action.do === "send");
    const has = { stream: "s", seq: 10, geometry: null };
    expect(said).toMatchObject({ text: JSON.stringify({ type: "resume", ...has, ...wind }) });
  });

  it("resumes again once it has the layers that were asked for, not when they are only announced", () => {
    const play = new Play().live();
    play.do({ type: "subscribe", subscription: wind });
    play.receive(hello({ mode: "snapshot", layers: ["wind_speed_10m", "wind_direction_10m"] }), geometry);
    expect(play.state.otherLayers).toBe(true);
    play.receive(snapshot());
    expect(play.state.otherLayers).toBe(false);
  });
});

describe("losing the connection", () => {
  it("waits with a countdown, then resumes by stream, seq and geometry", () => {
    const play = new Play().live().receive(delta(10, 11)).do({ type: "closed", code: 1006 });
    expect(connectionState(play.state)).toBe("reconnecting");
    expect(play.actions).toContainEqual({ do: "set-timer", timer: "retry", afterMs: 500 });
    play.do({ type: "timer", timer: "retry" }, { type: "opened" });
    expect(play.sent).toEqual([{ type: "resume", stream: "s", seq: 11, geometry: "g" }]);
    play.receive(hello({ mode: "resumed", seq: 13 }), delta(11, 13));
    expect(play.state.position.seq).toBe(13);
  });

  it("does not move on by a hello alone: what it announces may never arrive", () => {
    const play = new Play().live().do({ type: "closed", code: 1006 }, { type: "timer", timer: "retry" });
    play
      .do({ type: "opened" })
      .receive(hello({ mode: "resumed", seq: 50 }))
      .do({ type: "closed", code: 1006 });
    expect(play.state.position.seq).toBe(10);
  });

  it.each([
    [CLOSE.restarting, "restarting"],
    [CLOSE.goingAway, "closing"],
  ] as const)("knows why the server went by its code %i, and keeps to it", (code, said) => {
    const play = new Play().live().do({ type: "closed", code });
    expect(connectionState(play.state)).toBe(said);
    play.do({ type: "timer", timer: "retry" }, { type: "closed", code: 1006 });
    expect(connectionState(play.state)).toBe(said);
  });

  it("stops for good after a protocol error, and after no other code (W10)", () => {
    for (const code of Object.values(CLOSE)) {
      const phase = new Play().live().do({ type: "closed", code }).state.phase.name;
      expect(phase).toBe(code === CLOSE.protocolError ? "stopped" : "waiting");
    }
  });

  it("says that it is disconnected after several failures, and counts anew after a steady connection", () => {
    const play = new Play().live();
    for (let failure = 0; failure < FAILURES_UNTIL_DISCONNECTED; failure += 1) {
      play.do({ type: "closed", code: 1006 }, { type: "timer", timer: "retry" });
    }
    expect(connectionState(play.state)).toBe("disconnected");
    play.do({ type: "opened" }).receive(hello({ mode: "resumed" }));
    expect(connectionState(play.state)).toBe("live");
    play.nowMs += STEADY_MS;
    play.do({ type: "closed", code: 1006 });
    expect(play.state.failures).toBe(1);
  });

  it("keeps counting when a connection breaks right after its hello, so that the waits grow", () => {
    const play = new Play().live().do({ type: "closed", code: CLOSE.tooSlow }, { type: "timer", timer: "retry" });
    play
      .do({ type: "opened" })
      .receive(hello({ mode: "resumed" }))
      .do({ type: "closed", code: CLOSE.tooSlow });
    expect(play.state.failures).toBe(2);
  });

  it("tries at once when it is woken while waiting, and only then", () => {
    const play = new Play().live().do({ type: "wake" });
    expect(play.actions).toEqual([]);
    play.do({ type: "closed", code: 1006 }, { type: "wake" });
    expect(play.actions.map((action) => action.do)).toContain("connect");
  });

  it("gives up a connection that has gone silent", () => {
    const play = new Play().live().do({ type: "timer", timer: "deadline" });
    expect(play.actions).toContainEqual({ do: "close", code: CLOSE.normal, reason: "silent" });
    expect(connectionState(play.state)).toBe("reconnecting");
  });

  it("falls back to JSON and to a whole snapshot when binary messages cannot be read", () => {
    const play = new Play().live().do({ type: "unreadable", binary: true }, { type: "timer", timer: "retry" });
    expect(play.actions).toContainEqual({ do: "connect", subprotocols: ["isotherm.v1.json"] });
    play.do({ type: "opened" });
    expect(play.sent).toEqual([{ type: "resume", stream: null, seq: 0, geometry: null }]);
  });

  it("hears nothing more of a connection that it has let go", () => {
    const play = new Play().live().do({ type: "closed", code: 1006 }).receive(delta(10, 11));
    expect(play.actions).toEqual([]);
    expect(play.state.position.seq).toBe(10);
  });
});
