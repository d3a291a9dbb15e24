/** Decodes the binary snapshot and delta of `isotherm.v1.bin` (contract W7). */

import { type CellArrays, type Delta, ProtocolError, type Snapshot } from "./messages";

const HEADER_BYTES = 48;
const KIND_SNAPSHOT = 1;
const KIND_DELTA = 2;
const FORMAT_VERSION = 1;
const LITTLE_ENDIAN_HOST = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

export function decodeBinary(buffer: ArrayBuffer): Snapshot | Delta {
  if (buffer.byteLength < HEADER_BYTES) {
    throw new ProtocolError(`A binary message of ${buffer.byteLength} bytes has no whole header.`);
  }
  const view = new DataView(buffer);
  const kind = view.getUint8(0);
  const version = view.getUint8(1);
  const layerCount = view.getUint16(2, true);
  const count = view.getUint32(4, true);
  if (version !== FORMAT_VERSION) {
    throw new ProtocolError(`Binary format ${version} is not known to this page.`);
  }
  if (kind !== KIND_SNAPSHOT && kind !== KIND_DELTA) {
    throw new ProtocolError(`Binary message kind ${kind} is not known to this page.`);
  }
  const cellBytes = (kind === KIND_DELTA ? 4 : 0) + 4 + 4 + 2 * layerCount + 1;
  if (buffer.byteLength !== HEADER_BYTES + count * cellBytes) {
    throw new ProtocolError(
      `A binary message for ${count} cells has ${buffer.byteLength} bytes, not ${HEADER_BYTES + count * cellBytes}.`,
    );
  }
  const fromSeq = readSeq(view, 8);
  const seq = readSeq(view, 16);
  const stream = hex(buffer, 24, 16);
  const geometry = hex(buffer, 40, 8);

  let offset = HEADER_BYTES;
  const uint32 = (): Uint32Array => {
    const array = readUint32(buffer, offset, count);
    offset += 4 * count;
    return array;
  };
  const cells = kind === KIND_DELTA ? uint32() : null;
  const validAt = uint32();
  const fetchedAt = uint32();
  const layers: Int16Array[] = [];
  for (let layer = 0; layer < layerCount; layer += 1) {
    layers.push(readInt16(buffer, offset, count));
    offset += 2 * count;
  }
  const source = new Uint8Array(buffer, offset, count);
  const arrays: CellArrays = { validAt, fetchedAt, source, layers };
  return cells === null
    ? { type: "snapshot", stream, seq, geometry, ...arrays }
    : { type: "delta", stream, fromSeq, seq, geometry, cells, ...arrays };
}

function readSeq(view: DataView, offset: number): number {
  const value = view.getBigUint64(offset, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new ProtocolError(`The seq ${value} is too large.`);
  }
  return Number(value);
}

function hex(buffer: ArrayBuffer, offset: number, length: number): string {
  let text = "";
  for (const byte of new Uint8Array(buffer, offset, length)) {
    text += byte.toString(16).padStart(2, "0");
  }
  return text;
}

function readUint32(buffer: ArrayBuffer, offset: number, count: number): Uint32Array {
  if (LITTLE_ENDIAN_HOST && offset % 4 === 0) {
    return new Uint32Array(buffer, offset, count);
  }
  const view = new DataView(buffer, offset, 4 * count);
  return Uint32Array.from({ length: count }, (_, index) => view.getUint32(4 * index, true));
}

function readInt16(buffer: ArrayBuffer, offset: number, count: number): Int16Array {
  if (LITTLE_ENDIAN_HOST && offset % 2 === 0) {
    return new Int16Array(buffer, offset, count);
  }
  const view = new DataView(buffer, offset, 2 * count);
  return Int16Array.from({ length: count }, (_, index) => view.getInt16(2 * index, true));
}
