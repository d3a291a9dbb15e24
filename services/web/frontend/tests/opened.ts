/** A store that has been told everything that a model of the server's data holds. */

import type { Model } from "../dev/model";
import { decodeBinary } from "../src/protocol/binary";
import { decodeJson } from "../src/protocol/json";
import type { Delta, Geometry, Hello, Snapshot } from "../src/protocol/messages";
import { Store } from "../src/state/store";

export function open(model: Model, store = new Store()): Store {
  store.apply(decodeJson(model.hello("snapshot"), []) as Hello);
  store.apply(decodeJson(model.geometryMessage(), []) as Geometry);
  store.apply(read(model.snapshot(true)));
  return store;
}

export function read(data: string | Buffer): Snapshot | Delta {
  return decodeBinary(bytes(data as Buffer));
}

export function bytes(data: Buffer): ArrayBuffer {
  return Uint8Array.from(data).buffer as ArrayBuffer;
}
