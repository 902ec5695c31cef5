// Draws the figures that stand in the table beside it. echarts is loaded with this file, hence on demand.
import { BarChart, LineChart } from "echarts/charts";
import { DataZoomComponent, GridComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

echarts.use([BarChart, LineChart, DataZoomComponent, GridComponent, TooltipComponent, SVGRenderer]);

export function show(place, drawn, zoom) {
  const style = getComputedStyle(document.documentElement);
  const [ink, line, accent, surface] = ["--t-ink", "--t-line", "--t-accent", "--t-surface"].map((name) => style.getPropertyValue(name).trim());
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const chart = echarts.init(place, null, { renderer: "svg" });
  const time = drawn.kind === "line";
  const number = new Intl.NumberFormat(document.documentElement.lang, { notation: "compact" });
  const words = drawn.points.map((point) => point[2]);
  chart.setOption({
    animation: !calm,
    textStyle: { color: ink, fontFamily: getComputedStyle(document.body).fontFamily },
    grid: { left: 8, right: 16, top: 16, bottom: time ? 72 : 8, containLabel: true },
    // Text of cells is drawn as text, never as HTML.
    tooltip: { trigger: "axis", renderMode: "richText", backgroundColor: surface, borderColor: line, textStyle: { color: ink }, formatter: ([each]) => `${drawn.points[each.dataIndex][2]}\n${drawn.points[each.dataIndex][3]}` },
    ...(time
      ? {
          xAxis: { type: "category", data: words, boundaryGap: false, axisLabel: { color: ink, hideOverlap: true }, axisLine: { lineStyle: { color: line } } },
          yAxis: axis(),
          dataZoom: [{ type: "inside", zoomOnMouseWheel: "ctrl" }, { type: "slider", bottom: 8, height: 32, borderColor: line, labelFormatter: "", textStyle: { color: ink } }],
        }
      : {
          xAxis: axis(),
          yAxis: { type: "category", data: words, inverse: true, axisLabel: { color: ink, width: 140, overflow: "truncate" }, axisLine: { lineStyle: { color: line } } },
        }),
    series: [{ type: drawn.kind, data: drawn.points.map((point) => point[1]), itemStyle: { color: accent }, lineStyle: { width: 2 }, showSymbol: drawn.points.length < 60, connectNulls: false }],
  });
  if (!time) {
    place.style.height = `${Math.max(200, 40 + 26 * words.length)}px`;
    chart.resize();
  }
  function axis() {
    return { type: "value", axisLabel: { color: ink, formatter: (value) => number.format(value) }, splitLine: { lineStyle: { color: line } } };
  }
  new ResizeObserver(() => chart.resize()).observe(place);
  if (time) offerZoom(place, chart, drawn, zoom);
}

// The part that the reader drew together is asked for anew: with finer steps, and in the table too.
function offerZoom(place, chart, drawn, zoom) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-secondary", textContent: place.dataset.zoom, hidden: true });
  place.after(button);
  let part = null;
  chart.on("datazoom", () => {
    const { startValue, endValue } = chart.getOption().dataZoom[0];
    part = [drawn.points[startValue], drawn.points[Math.min(endValue + 1, drawn.points.length - 1)]];
    button.hidden = startValue === 0 && endValue >= drawn.points.length - 1;
  });
  button.addEventListener("click", () => part && zoom(part[0][0], part[1][0]));
}
