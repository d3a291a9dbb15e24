/** What browser tests and curious people may read; nothing can be changed through it. */

import { FIELD } from "./layers/layers";
import type { Client } from "./protocol/client";
import { freshness } from "./state/freshness";
import type { Store } from "./state/store";
import type { TimeControl } from "./time/control";

const FIELDS: Readonly<Record<string, string>> = { temperature: FIELD.temperature, wind: FIELD.windSpeed };

export function exposeForDebugging(store: Store, client: Client, time: TimeControl): void {
  const cellOf = (locationId: number): number => store.cells?.ids.indexOf(locationId) ?? -1;
  const isotherm = {
    state: () => {
      const fresh =
        store.cells === null ? null : freshness(store.cells, client.serverNowMs() / 1000, Number.POSITIVE_INFINITY);
      return {
        connection: client.status.state,
        stream: store.stream,
        seq: store.seq,
        geometry: client.state.position.geometry,
        mode: client.state.mode,
        cells: store.count,
        filled: fresh?.filled ?? 0,
        simulated: fresh?.simulated ?? 0,
      };
    },
    value: (locationId: number, layer: string = FIELD.temperature) => {
      const cell = cellOf(locationId);
      return cell < 0 ? null : store.value(cell, FIELDS[layer] ?? layer);
    },
    shown: (locationId: number) => {
      const cell = cellOf(locationId);
      const { shown } = time;
      const known = (value: number | undefined): number | null =>
        value === undefined || Number.isNaN(value) ? null : value;
      return cell < 0 || shown === null
        ? null
        : {
            temperature: known(shown.temperature[cell]),
            wind: known(shown.speed[cell]),
            moved: shown.moved[cell] === 1,
          };
    },
    time: () => ({ moment: time.moment, seconds: time.seconds, kind: time.kind, ready: time.message === "" }),
  };
  Object.defineProperty(window, "isotherm", { value: Object.freeze(isotherm) });
}
