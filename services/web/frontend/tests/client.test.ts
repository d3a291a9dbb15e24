import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Model } from "../dev/model";
import { Live } from "../src/live";
import { Client, type ConnectionStatus } from "../src/protocol/client";
import type { Announcer } from "../src/ui/announcer";

/** The browser's end of a connection, whose other end is the test. */
class Socket {
  static readonly all: Socket[] = [];
  readonly sent: string[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  constructor() {
    Socket.all.push(this);
  }

  static get last(): Socket {
    return Socket.all.at(-1) as Socket;
  }

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {}
}

const NOON_MS = 1_795_521_600_000;
const model = new Model([{ id: 1, latitude: 50, longitude: 10, name: null }]);

/** The server says hello at its own time. */
function hello(serverMs: number): string {
  return JSON.stringify({ ...JSON.parse(model.hello("snapshot")), server_time: serverMs / 1000 });
}

beforeEach(() => {
  Socket.all.length = 0;
  vi.useFakeTimers({ now: NOON_MS });
  vi.stubGlobal("WebSocket", Socket);
  vi.stubGlobal("window", globalThis);
  vi.spyOn(Math, "random").mockReturnValue(0.5);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe("the client", () => {
  it("knows by the server's clock when it last heard of it, however wrong the page's clock is", () => {
    const client = new Client("ws://localhost/ws", { message: () => {}, connection: () => {} });
    const serverMs = NOON_MS - 5 * 3_600_000;
    client.start();
    expect(client.heardMs).toBeNull();
    Socket.last.onopen?.();
    Socket.last.onmessage?.({ data: hello(serverMs) });
    vi.advanceTimersByTime(10_000);
    Socket.last.onmessage?.({
      data: JSON.stringify({ type: "ping", seq: 1, server_time: serverMs / 1000 + 10 }),
    });
    // A machine that slept finds the connection closed when it wakes: what it knows is as old as what it heard.
    vi.advanceTimersByTime(20_000);
    Socket.last.onclose?.({ code: 1006 });
    expect(client.heardMs).toBe(serverMs + 10_000);
    expect(client.serverNowMs()).toBe(serverMs + 30_000);
  });
});

describe("what screen readers hear of the connection", () => {
  it("is each state once, not each attempt", () => {
    vi.stubGlobal("location", new URL("http://localhost/"));
    vi.stubGlobal("addEventListener", () => {});
    vi.stubGlobal("document", { addEventListener: () => {} });
    const said: string[] = [];
    const seen: ConnectionStatus["state"][] = [];
    const announcer = { say: (text: string) => said.push(text), mention: () => {} } as unknown as Announcer;
    const live = new Live(announcer, {
      places: () => {},
      whole: () => {},
      changed: () => {},
      connection: () => seen.push(live.client.status.state),
    });
    live.start();
    Socket.last.onopen?.();
    Socket.last.onmessage?.({ data: hello(NOON_MS) });
    for (let attempt = 0; attempt < 5; attempt += 1) {
      Socket.last.onclose?.({ code: 1006 });
      vi.advanceTimersByTime(30_000);
    }
    expect(seen.filter((state) => state === "reconnecting").length).toBeGreaterThan(2);
    expect(said).toEqual([
      "The map is live.",
      "The connection was lost. Reconnecting.",
      "Disconnected from the server.",
    ]);
  });
});
