/** What is shown, in words: of one place, of all of them, of the moment, of a picture that is taken away. */

import { LAYERS } from "./layers/layers";
import type { Live } from "./live";
import type { Prefs } from "./prefs";
import { TEXT } from "./text";
import type { TimeControl } from "./time/control";
import { type CellFacts, cellFacts, placeName } from "./ui/facts";
import { legendTitle } from "./ui/legend";
import type { TableSource } from "./ui/table";
import { kindText, timeText } from "./ui/timebar";

export interface ToldOf {
  readonly live: Live;
  readonly time: TimeControl;
  prefs(): Prefs;
  simulated(): boolean;
}

export class Told {
  constructor(private readonly of: ToldOf) {}

  facts(cell: number): CellFacts | null {
    const { live, time } = this.of;
    return cellFacts({ store: live.store, shown: time.shown, units: this.of.prefs(), nowMs: live.nowMs }, cell);
  }

  moment(): string {
    const { live, time } = this.of;
    const scene = { moment: time.moment, nowSeconds: live.nowMs / 1000, simulated: this.of.simulated() };
    return TEXT.time.shown(kindText(scene), timeText(scene));
  }

  table(): TableSource {
    const { store } = this.of.live;
    return {
      count: () => store.count,
      name: (cell) => placeName(store, cell).place,
      facts: (cell) => this.facts(cell),
      caption: () => this.moment(),
    };
  }

  /** What stands below a picture of the map. */
  picture(): { readonly title: string; readonly credit: string } {
    const prefs = this.of.prefs();
    const unit = LAYERS[prefs.layer].unit(prefs).symbol;
    const simulated = this.of.simulated() ? `${TEXT.simulatedCredit}. ` : "";
    return {
      title: `${legendTitle(prefs.layer, this.of.time.moment)} (${unit}). ${this.moment()}`,
      credit: `${simulated}${TEXT.attribution} (${TEXT.licence}). ${TEXT.shapes}. ${TEXT.title}`,
    };
  }
}
