// A map without a framework: Leaflet, a grid of degrees beneath, tiles where the server names some, markers with their own clusters.
import "leaflet/dist/leaflet.css";

import L from "leaflet";

import { cluster, gridLines, type Place } from "./geo";
import { ring } from "./ring";

/** Pixels between the middles of two markers, at least. */
const APART = 40;
/** Tiles that have to fail before the map says so. */
const FAILURES = 3;

export interface Pin {
  id: string;
  place: Place;
  /** What the marker says to those who cannot see it. */
  label: string;
  /** Its colour: ok, busy, warn, bad, idle. */
  tone: string;
}

export interface MapOptions {
  tiles: { url: string; attribution: string } | null;
  choose: (id: string) => void;
  /** Called when tiles do not come. */
  onNoTiles: () => void;
  labelOfCluster: (count: number) => string;
}

export class PinMap {
  readonly #map: L.Map;
  readonly #pins = L.layerGroup();
  readonly #grid = L.layerGroup();
  readonly #options: MapOptions;
  #shown: Pin[] = [];
  #chosen = "";
  #isFitted = false;

  constructor(box: HTMLElement, options: MapOptions) {
    this.#options = options;
    this.#map = L.map(box, { zoomControl: true, attributionControl: options.tiles !== null, worldCopyJump: true }).setView([51, 9], 5);
    this.#grid.addTo(this.#map);
    if (options.tiles) this.#addTiles(options.tiles);
    this.#pins.addTo(this.#map);
    this.#map.on("zoomend moveend", () => this.#draw());
  }

  #addTiles({ url, attribution }: { url: string; attribution: string }): void {
    let failed = 0;
    const layer = L.tileLayer(url, { attribution, maxZoom: 19 });
    layer.on("tileerror", () => ++failed === FAILURES && this.#options.onNoTiles());
    layer.on("tileload", () => (failed = -Infinity));
    layer.addTo(this.#map);
  }

  /** Shows these pins; the first time the map moves to where they are. */
  show(pins: Pin[], chosen: string): void {
    this.#shown = pins;
    this.#chosen = chosen;
    if (!this.#isFitted && pins.length) {
      this.#isFitted = true;
      this.#map.fitBounds(L.latLngBounds(pins.map(({ place: [lng, lat] }) => [lat, lng])), {
        maxZoom: 14,
        padding: [40, 40],
        animate: false,
      });
    }
    this.#draw();
  }

  /** Brings a place into the middle. */
  goTo([lng, lat]: Place): void {
    this.#map.setView([lat, lng], Math.max(this.#map.getZoom(), 13), { animate: false });
  }

  close(): void {
    this.#map.remove();
  }

  #draw(): void {
    this.#drawGrid();
    const focused = (document.activeElement as HTMLElement | null)?.dataset.pin;
    this.#pins.clearLayers();
    const zoom = this.#map.getZoom();
    const points = this.#shown.map((pin) => ({ at: this.#map.project([pin.place[1], pin.place[0]], zoom), item: pin }));
    for (const { at, items } of cluster(points, APART)) {
      const [first] = items;
      if (!first) continue;
      const place = this.#map.unproject([at.x, at.y], zoom);
      const isMany = items.length > 1;
      const label = isMany ? this.#options.labelOfCluster(items.length) : first.label;
      const tone = isMany ? "many" : first.tone;
      const isChosen = items.some(({ id }) => id === this.#chosen);
      const icon = L.divIcon({
        className: `pin ${tone}${isChosen ? " chosen" : ""}`,
        html: isMany ? `<b>${items.length}</b>` : "",
        iconSize: isMany ? [34, 34] : [28, 28],
      });
      const marker = L.marker(place, { icon, keyboard: true }).addTo(this.#pins);
      const element = marker.getElement();
      element?.setAttribute("aria-label", label);
      element?.setAttribute("title", label);
      element?.setAttribute("role", "button");
      if (element && isMany) element.style.background = ring(items.map(({ tone: one }) => one));
      if (element) element.dataset.pin = isMany ? `many-${first.id}` : first.id;
      marker.on("click", () => (isMany ? this.#open(items) : this.#options.choose(first.id)));
      marker.on("keypress", (event) => {
        if ((event.originalEvent as KeyboardEvent).key === "Enter") marker.fire("click");
      });
      if (element?.dataset.pin === focused) element?.focus();
    }
  }

  #open(items: Pin[]): void {
    const bounds = L.latLngBounds(items.map(({ place: [lng, lat] }) => [lat, lng]));
    const isOnePlace = bounds.getNorthEast().equals(bounds.getSouthWest());
    if (isOnePlace || this.#map.getZoom() >= 18) this.#options.choose(items[0]?.id ?? "");
    else this.#map.fitBounds(bounds, { padding: [40, 40], maxZoom: this.#map.getZoom() + 4 });
  }

  #drawGrid(): void {
    this.#grid.clearLayers();
    const bounds = this.#map.getBounds();
    const style = { className: "grid-line", weight: 1, interactive: false };
    for (const lng of gridLines(bounds.getWest(), bounds.getEast()))
      L.polyline(
        [
          [-85, lng],
          [85, lng],
        ],
        style,
      ).addTo(this.#grid);
    for (const lat of gridLines(bounds.getSouth(), bounds.getNorth()))
      L.polyline(
        [
          [lat, -360],
          [lat, 360],
        ],
        style,
      ).addTo(this.#grid);
  }
}
