/**
 * A fake of the web server inside Vite's own servers, to work on the page alone and to look at each of its states:
 * open the page with `?state=` and one of the names below. It never becomes part of the built page.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Connect, Plugin, PreviewServer, ViteDevServer } from "vite";
import { type WebSocket, WebSocketServer } from "ws";
import { cities, globalGrid, LAYERS, Model, type Point } from "./model.ts";
import { weatherAt } from "./weather.ts";

const STATES = [
  "live",
  "real",
  "filling",
  "empty",
  "stale",
  "restarting",
  "closing",
  "disconnected",
  "connecting",
  "protocol",
  "cities",
  "region",
  "pacific",
  "dense",
] as const;
type State = (typeof STATES)[number];

/** The close codes of the states in which the server goes away soon after it has sent the map. */
const CLOSES_WITH: Readonly<Partial<Record<State, number>>> = {
  restarting: 1012,
  closing: 1001,
  disconnected: 1011,
  protocol: 4000,
};

/** Weather for more cells at 73 times would take this fake too long. */
const MOST_FRAME_CELLS = 1_000;

/** What the real server sends too: whatever breaks it here breaks there. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join("; ");

export function fakeServer(): Plugin {
  return {
    name: "fake-server",
    configureServer: (server) => attach(server, false),
    configurePreviewServer: (server) => attach(server, true),
  };
}

function attach(server: ViteDevServer | PreviewServer, strict: boolean): void {
  const worlds = new Map<State, World>();
  const world = (state: State): World => {
    const found = worlds.get(state) ?? new World(state);
    worlds.set(state, found);
    return found;
  };
  server.middlewares.use((request: Connect.IncomingMessage, response: ServerResponse, next: Connect.NextFunction) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    if (url.pathname === "/") {
      worlds.get(stateNamed(url.searchParams.get("state")))?.visited();
      response.setHeader("Set-Cookie", `state=${url.searchParams.get("state") ?? "live"}; Path=/; SameSite=Strict`);
    }
    if (strict) {
      response.setHeader("Content-Security-Policy", CONTENT_SECURITY_POLICY);
    }
    if (url.pathname === "/api/v1/frames") {
      world(stateOf(request)).frames(url.searchParams, response);
      return;
    }
    const match = /^\/api\/v1\/locations\/(\d+)\/(series|forecast)$/.exec(url.pathname);
    if (match === null) {
      next();
      return;
    }
    const [, id, what] = match;
    world(stateOf(request)).answer(Number(id), what === "series", response);
  });
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => ["isotherm.v1.bin", "isotherm.v1.json"].find((name) => offered.has(name)) ?? false,
  });
  server.httpServer?.on("upgrade", (request: IncomingMessage, socket, head) => {
    if (request.url !== "/ws") {
      return;
    }
    const found = world(stateOf(request));
    if (found.refuses()) {
      socket.end("HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n");
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => found.join(client));
  });
}

function stateOf(request: IncomingMessage): State {
  const name = /(?:^|; )state=([a-z]+)/.exec(request.headers.cookie ?? "")?.[1];
  return stateNamed(name);
}

function stateNamed(name: string | null | undefined): State {
  return STATES.find((state) => state === name) ?? "live";
}

class World {
  readonly #model: Model;
  readonly #clients = new Map<WebSocket, number>();
  readonly #source: number;
  #next = 0;
  #joined = 0;

  constructor(readonly state: State) {
    this.#model = new Model(pointsOf(state));
    this.#source = state === "real" || state === "stale" ? 1 : 2;
    const all = this.#model.points.map((_, index) => index);
    if (state === "filling") {
      this.#next = Math.floor(all.length / 3);
    }
    if (state !== "empty") {
      const known = state === "filling" ? all.slice(0, this.#next) : all;
      for (const part of chunks(known, 69)) {
        this.#model.fetch(part, this.#source, (state === "stale" ? 14_000 : 0) + Math.round(3_000 * Math.random()));
      }
    }
    if (["live", "real", "filling", "cities", "region", "pacific", "dense"].includes(state)) {
      setInterval(() => this.#sweep(), state === "filling" ? 1_500 : 3_000).unref();
    }
  }

  /** The page is opened anew: a server that goes away is there once more. */
  visited(): void {
    this.#joined = 0;
  }

  refuses(): boolean {
    const goesAway = this.state in CLOSES_WITH && this.state !== "protocol";
    return this.state === "connecting" || (goesAway && this.#joined > 0);
  }

  join(client: WebSocket): void {
    const binary = client.protocol === "isotherm.v1.bin";
    client.on("message", (data) => {
      const message = JSON.parse(String(data)) as { type: string; stream: string | null; seq: number };
      if (message.type !== "resume") {
        return;
      }
      const resumed = message.stream === this.#model.stream && message.seq === this.#model.seq;
      client.send(this.#model.hello(resumed ? "resumed" : "snapshot"));
      if (!resumed) {
        client.send(this.#model.geometryMessage());
        client.send(this.#model.snapshot(binary));
      }
      this.#clients.set(client, this.#model.seq);
      this.#joined += 1;
      const code = CLOSES_WITH[this.state];
      if (code !== undefined) {
        setTimeout(() => client.close(code), 1_500);
      }
    });
    const ping = setInterval(
      () => client.send(JSON.stringify({ type: "ping", seq: this.#model.seq, server_time: Date.now() / 1000 })),
      20_000,
    );
    client.on("close", () => {
      clearInterval(ping);
      this.#clients.delete(client);
    });
  }

  frames(query: URLSearchParams, response: ServerResponse): void {
    const { points } = this.#model;
    if (points.length > MOST_FRAME_CELLS || this.state === "empty") {
      response.statusCode = 503;
      response.end();
      return;
    }
    const [from, to, step] = ["from", "to", "step"].map((name) => Number(query.get(name))) as [number, number, number];
    const times = Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step);
    const layer = LAYERS.map(String).indexOf(query.get("layer") ?? "");
    response.setHeader("Content-Type", "application/octet-stream");
    response.end(this.#model.frames(layer, times));
  }

  answer(id: number, series: boolean, response: ServerResponse): void {
    const point = this.#model.points.find((candidate) => candidate.id === id);
    response.setHeader("Content-Type", "application/json");
    if (point === undefined) {
      response.statusCode = 404;
      response.end(JSON.stringify({ error: `There is no location ${id}.` }));
      return;
    }
    const now = Math.floor(Date.now() / 3_600_000) * 3_600;
    const times = Array.from(
      { length: series ? 96 : 73 },
      (_, index) => now + (series ? (index - 95) * 900 : (index - 24) * 3_600),
    );
    const samples = times.map((time) => weatherAt(point.latitude, point.longitude, time / 3_600));
    const body = {
      valid_at: times,
      temperature_2m: samples.map((sample) => Math.round(10 * sample.temperature) / 10),
      wind_speed_10m: samples.map((sample) => Math.round(10 * sample.windSpeed) / 10),
      wind_direction_10m: samples.map((sample) => Math.round(sample.windDirection)),
    };
    const source = this.#source === 1 ? "open-meteo" : "simulator";
    response.end(
      JSON.stringify(
        series
          ? { location: point, ...body, source: times.map(() => source) }
          : { location: point, issued_at: now, source, ...body },
      ),
    );
  }

  #sweep(): void {
    const count = this.#model.points.length;
    const size = Math.min(count, this.state === "dense" ? 400 : 24);
    const cells = Array.from({ length: size }, (_, index) => (this.#next + index) % count).sort((a, b) => a - b);
    this.#next = (this.#next + size) % count;
    const fromSeq = this.#model.seq;
    this.#model.fetch(cells, this.#source);
    for (const [client, seq] of this.#clients) {
      client.send(this.#model.delta(cells, Math.min(seq, fromSeq), client.protocol === "isotherm.v1.bin"));
      this.#clients.set(client, this.#model.seq);
    }
  }
}

function pointsOf(state: State): Point[] {
  const fine = globalGrid(2.5);
  switch (state) {
    case "cities":
      return cities();
    case "dense":
      return globalGrid(2);
    case "region":
      return fine.filter((p) => p.latitude >= 35 && p.latitude <= 70 && Math.abs(p.longitude - 10) <= 25);
    case "pacific":
      return fine.filter((p) => p.latitude >= -50 && p.latitude <= -10 && Math.abs(p.longitude) >= 155);
    default:
      return globalGrid(10);
  }
}

function chunks(values: readonly number[], size: number): number[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, index) =>
    values.slice(index * size, (index + 1) * size),
  );
}
