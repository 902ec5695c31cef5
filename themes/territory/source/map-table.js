// Rows of a table on a map: the territory's own outlines below, no tile server. A click leads to the row.
const ROOT = () => document.querySelector("meta[name=site-root]")?.content ?? "/";
const SHAPES = ["shapes", "edges", "points"];

export async function show(place, choose) {
  const texts = JSON.parse(place.dataset.texts);
  const note = Object.assign(document.createElement("p"), { className: "t-map-note text-muted" });
  note.setAttribute("role", "status");
  place.after(note);
  try {
    const [outlines, found] = await Promise.all([fetch(`${ROOT()}territory/outlines.geojson`).then(json), fetch(place.dataset.features).then(json)]);
    const rows = found.result;
    if (!rows?.features.length) {
      note.textContent = texts.none;
      return place.remove();
    }
    note.textContent = rows.truncated ? texts.more : "";
    document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: new URL("./map.css", import.meta.url).href }));
    const library = await import("maplibre-gl");
    draw(library.default ?? library, { place, choose, texts, outlines: outlines ?? empty(), rows, note });
  } catch (fault) {
    console.warn(fault); // no WebGL, no network: the table has the rows
    note.textContent = texts.failed;
    place.remove();
  }
}

const json = async (answer) => (answer.ok ? answer.json() : null);
const empty = () => ({ type: "FeatureCollection", features: [] });

function draw({ Map: MapLibre, NavigationControl, Popup, LngLatBounds }, { place, choose, texts, outlines, rows, note }) {
  const bounds = new LngLatBounds();
  const around = (c) => (typeof c[0] === "number" ? bounds.extend(c.slice(0, 2)) : c.forEach(around));
  const each = (geometry) => (geometry?.geometries ? geometry.geometries.forEach(each) : geometry?.coordinates?.length && around(geometry.coordinates));
  rows.features.forEach((feature) => each(feature.geometry));
  const shown = new MapLibre({
    container: place, attributionControl: false, style: style(outlines, rows), bounds, fitBoundsOptions: { padding: 30, maxZoom: 14, animate: false },
    locale: { "NavigationControl.ZoomIn": texts.zoomIn, "NavigationControl.ZoomOut": texts.zoomOut }, cooperativeGestures: matchMedia("(pointer: coarse)").matches,
  });
  shown.getCanvas().setAttribute("aria-label", place.getAttribute("aria-label"));
  shown.addControl(new NavigationControl({ showCompass: false }));
  const hint = new Popup({ closeButton: false, closeOnClick: false, className: "t-map-hint" });
  shown.on("load", () => place.setAttribute("data-drawn", "yes"));
  for (const layer of SHAPES) {
    shown.on("click", layer, (event) => choose(event.features[0].id));
    shown.on("mousemove", layer, (event) => {
      shown.getCanvas().style.cursor = "pointer";
      const label = event.features[0].properties.label;
      if (label) hint.setLngLat(event.lngLat).setText(label).addTo(shown);
    });
    shown.on("mouseleave", layer, () => {
      shown.getCanvas().style.cursor = "";
      hint.remove();
    });
  }
  if (rows.truncated) shown.on("moveend", () => refresh(shown, place, texts, note));
}

// Where not all shapes came, those of the part that is seen are asked for.
async function refresh(shown, place, texts, note) {
  const seen = shown.getBounds();
  const address = new URL(place.dataset.features);
  address.searchParams.set("box", JSON.stringify([seen.getWest(), seen.getSouth(), seen.getEast(), seen.getNorth()]));
  const found = await fetch(address).then(json).catch(() => null);
  if (!found) return;
  shown.getSource("rows")?.setData(found.result);
  note.textContent = found.result.truncated ? texts.more : "";
}

function style(outlines, rows) {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const [paper, area, border, ink] = dark ? ["#1d2427", "#2c3639", "#8a9396", "#86c9da"] : ["#eef0ec", "#dfe3da", "#5d6a66", "#1d5a6b"];
  const kind = ["geometry-type"];
  return {
    version: 8,
    sources: { areas: { type: "geojson", data: outlines }, rows: { type: "geojson", data: rows } },
    layers: [
      { id: "paper", type: "background", paint: { "background-color": paper } },
      { id: "areas", type: "fill", source: "areas", paint: { "fill-color": area } },
      { id: "borders", type: "line", source: "areas", paint: { "line-color": border, "line-width": 1 } },
      { id: "shapes", type: "fill", source: "rows", filter: ["==", kind, "Polygon"], paint: { "fill-color": ink, "fill-opacity": 0.35 } },
      { id: "edges", type: "line", source: "rows", filter: ["!=", kind, "Point"], paint: { "line-color": ink, "line-width": 2.5 } },
      { id: "points", type: "circle", source: "rows", filter: ["==", kind, "Point"], paint: { "circle-color": ink, "circle-radius": 6, "circle-stroke-color": paper, "circle-stroke-width": 1.5 } },
    ],
  };
}
