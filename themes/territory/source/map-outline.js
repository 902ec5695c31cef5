// A map that writes GeoJSON into a field: communes to tick, a box in figures, a polygon by clicks.
// It draws the territory's own outlines and asks no tile server. Boxes and figures need no mouse and no WebGL.
const ROOT = () => document.querySelector("meta[name=site-root]")?.content ?? "/";
const SIDES = ["west", "south", "east", "north"];

export async function open(button, texts) {
  const shown = button.nextElementSibling?.matches(".t-outline") ? button.nextElementSibling : null;
  if (shown) {
    shown.hidden = !shown.hidden;
    return button.setAttribute("aria-expanded", String(!shown.hidden));
  }
  button.setAttribute("aria-expanded", "true");
  const field = button.previousElementSibling;
  const answer = await fetch(`${ROOT()}territory/outlines.geojson`);
  const outlines = answer.ok ? await answer.json() : { type: "FeatureCollection", features: [] };
  const panel = document.createElement("div");
  panel.className = "t-outline";
  button.after(panel);
  const state = { field, outlines, points: null, redraw: () => {} };
  panel.append(communes(state, texts), box(state, texts));
  await map(panel, state, texts);
}

function write(state, geometry) {
  state.field.value = geometry ? JSON.stringify(geometry) : "";
  state.field.dispatchEvent(new Event("input", { bubbles: true }));
  state.redraw();
}

function read(state) {
  try {
    const found = JSON.parse(state.field.value);
    return typeof found?.type === "string" ? found : null;
  } catch {
    return null;
  }
}

function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function communes(state, texts) {
  const boxes = state.outlines.features.map((feature) => {
    const input = make("input", { type: "checkbox" });
    const { nom, name } = feature.properties;
    input.addEventListener("change", () => {
      const chosen = state.outlines.features.filter((_, index) => inputs[index].checked);
      write(state, together(chosen.map((each) => each.geometry)));
    });
    return make("label", { className: "t-check" }, input, ` ${nom ?? name}`);
  });
  const inputs = boxes.map((label) => label.querySelector("input"));
  state.toggle = (index) => inputs[index].click();
  return make("fieldset", { className: "t-choices form-group" }, make("legend", { textContent: texts.communes }),
    make("div", { className: "t-boxes" }, ...boxes));
}

// Several outlines are one geometry: a MultiPolygon (RFC 7946, section 3.1.7).
function together(geometries) {
  if (geometries.length < 2) return geometries[0] ?? null;
  return { type: "MultiPolygon", coordinates: geometries.flatMap((g) => (g.type === "Polygon" ? [g.coordinates] : g.coordinates)) };
}

function box(state, texts) {
  const inputs = SIDES.map((side) => make("input", { type: "number", step: "any", className: "form-control" }));
  const labels = inputs.map((input, index) => make("label", {}, texts[SIDES[index]], input));
  const use = make("button", { type: "button", className: "btn btn-secondary", textContent: texts.useBox });
  use.addEventListener("click", () => {
    const [w, s, e, n] = inputs.map((input) => input.valueAsNumber);
    const wrong = inputs.find((input) => Number.isNaN(input.valueAsNumber)) ?? (w >= e ? inputs[2] : s >= n ? inputs[3] : null);
    if (wrong) return wrong.focus();
    write(state, { type: "Polygon", coordinates: [[[w, s], [e, s], [e, n], [w, n], [w, s]]] });
  });
  return make("fieldset", { className: "form-group" }, make("legend", { textContent: texts.box }),
    make("div", { className: "t-outline-box" }, ...labels), use);
}

async function map(panel, state, texts) {
  const place = make("div", { className: "t-outline-map" });
  place.setAttribute("role", "group");
  place.setAttribute("aria-label", texts.map);
  const draw = make("button", { type: "button", className: "btn btn-secondary", textContent: texts.polygon });
  const finish = make("button", { type: "button", className: "btn btn-secondary", textContent: texts.finish, hidden: true });
  const clear = make("button", { type: "button", className: "btn btn-secondary", textContent: texts.clear });
  clear.addEventListener("click", () => {
    state.points = null;
    finish.hidden = true;
    for (const input of panel.querySelectorAll("input[type=checkbox]")) input.checked = false;
    write(state, null);
  });
  const tools = make("div", { className: "t-outline-tools" }, draw, finish, clear);
  panel.prepend(tools, place);
  try {
    document.head.append(make("link", { rel: "stylesheet", href: new URL("./map.css", import.meta.url).href }));
    const library = await import("maplibre-gl");
    const { Map: MapLibre, NavigationControl, LngLatBounds } = library.default ?? library;
    const bounds = new LngLatBounds();
    const around = (coordinates) => (typeof coordinates[0] === "number" ? bounds.extend(coordinates.slice(0, 2)) : coordinates.forEach(around));
    const present = read(state);
    for (const geometry of [...state.outlines.features.map((f) => f.geometry), ...(present?.coordinates ? [present] : [])]) around(geometry.coordinates);
    const shown = new MapLibre({
      container: place, attributionControl: false, style: style(state.outlines),
      ...(bounds.isEmpty() ? { center: [6, 49.4], zoom: 8 } : { bounds, fitBoundsOptions: { padding: 20 } }),
    });
    shown.addControl(new NavigationControl({ showCompass: false }));
    state.redraw = () => shown.getSource("drawn")?.setData(drawn(state));
    shown.on("load", state.redraw);
    state.field.addEventListener("input", () => state.redraw());
    shown.on("click", (event) => {
      if (state.points) {
        state.points.push([round(event.lngLat.lng), round(event.lngLat.lat)]);
        finish.hidden = state.points.length < 3;
        return state.redraw();
      }
      const hit = shown.queryRenderedFeatures(event.point, { layers: ["areas"] })[0];
      if (hit) state.toggle(hit.id);
    });
    draw.addEventListener("click", () => {
      state.points = [];
      finish.hidden = true;
    });
    finish.addEventListener("click", () => {
      const ring = [...state.points, state.points[0]];
      state.points = null;
      finish.hidden = true;
      write(state, { type: "Polygon", coordinates: [ring] });
    });
  } catch (fault) {
    console.warn(fault); // no WebGL: communes and figures are enough
    place.remove();
    draw.remove();
    finish.remove();
  }
}

const round = (degrees) => Math.round(degrees * 1e5) / 1e5;

function drawn(state) {
  const line = state.points?.length ? { type: state.points.length > 1 ? "LineString" : "Point", coordinates: state.points.length > 1 ? state.points : state.points[0] } : null;
  const geometry = line ?? read(state);
  return { type: "FeatureCollection", features: geometry ? [{ type: "Feature", properties: {}, geometry }] : [] };
}

function style(outlines) {
  const features = outlines.features.map((feature, id) => ({ ...feature, id }));
  return {
    version: 8,
    sources: {
      areas: { type: "geojson", data: { type: "FeatureCollection", features } },
      drawn: { type: "geojson", data: { type: "FeatureCollection", features: [] } },
    },
    layers: [
      { id: "paper", type: "background", paint: { "background-color": "#eef0ec" } },
      { id: "areas", type: "fill", source: "areas", paint: { "fill-color": "#d5dad0" } },
      { id: "borders", type: "line", source: "areas", paint: { "line-color": "#5d6a66", "line-width": 1 } },
      { id: "drawn", type: "fill", source: "drawn", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": "#1d5a6b", "fill-opacity": 0.35 } },
      { id: "line", type: "line", source: "drawn", paint: { "line-color": "#1d5a6b", "line-width": 3 } },
      { id: "points", type: "circle", source: "drawn", filter: ["==", ["geometry-type"], "Point"], paint: { "circle-color": "#1d5a6b", "circle-radius": 5 } },
    ],
  };
}
