// Draws the pictures of a case from the data beside them. The table behind each says the same.
"use strict";

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const INK = css("--ink"), QUIET = css("--quiet"), LINE = css("--line"), CARD = css("--card");
const BLUE = css("--accent"), RED = css("--high");
const SCALE = [css("--scale-0"), css("--scale-1"), css("--scale-2")];
const BASE = {
  animation: false,
  textStyle: { fontFamily: "DejaVu Sans, sans-serif", color: INK },
  // the answer to a pointer is drawn text: no markup is made from data
  tooltip: { renderMode: "richText", confine: true, backgroundColor: CARD, borderColor: LINE,
    textStyle: { color: INK } },
};
const AXIS = { axisLine: { lineStyle: { color: LINE } }, axisTick: { show: false },
  axisLabel: { color: QUIET }, splitLine: { lineStyle: { color: LINE } } };

function heat(data) {
  const most = Math.max(1, ...data.cells.map((cell) => cell[2]));
  return {
    ...BASE,
    tooltip: { ...BASE.tooltip, formatter: (one) =>
      `${data.days[one.value[1]]} ${String(one.value[0]).padStart(2, "0")}:00\n${one.value[2]} calls` },
    grid: { left: 40, right: 4, top: 4, bottom: 50 },
    xAxis: { ...AXIS, type: "category", data: [...Array(24).keys()], splitArea: { show: false } },
    yAxis: { ...AXIS, type: "category", inverse: true, data: data.days.map((day) => day.slice(0, 3)) },
    visualMap: { min: 0, max: most, orient: "horizontal", left: "center", bottom: 0, itemHeight: 90,
      itemWidth: 10, text: [`${most} calls`, "0"], textStyle: { color: QUIET }, inRange: { color: SCALE } },
    // the shade alone grows darker with the count, so it reads without colour; peaks are written out
    series: [{ type: "heatmap", data: data.cells, itemStyle: { borderColor: CARD, borderWidth: 2, borderRadius: 3 },
      label: { show: true, fontSize: 9, formatter: (one) => (one.value[2] >= most * 0.75 ? short(one.value[2]) : ""),
        color: CARD } }],
  };
}

const short = (n) => (n < 1000 ? `${n}` : `${Math.round(n / 1000)}k`);

function world(data) {
  const most = Math.max(0.01, ...data.countries.map((one) => one.cost));
  const longest = Math.max(1, ...data.countries.map((one) => one.minutes));
  const middle = new Map(echarts.getMap("world").geoJSON.features.map((feature) =>
    [feature.properties.name, centre(feature.geometry)]));
  return {
    ...BASE,
    tooltip: { ...BASE.tooltip, formatter: (one) => {
      const found = data.countries.find((c) => c.code === (one.data?.code ?? one.name));
      return found ? `${found.name}\n${found.calls} calls, ${found.minutes} min, USD ${found.cost}` : one.name;
    } },
    geo: { map: "world", roam: false, left: 4, right: 4, top: 4, bottom: 36, silent: true,
      itemStyle: { areaColor: css("--land"), borderColor: CARD, borderWidth: 0.5 } },
    visualMap: { min: 0, max: most, seriesIndex: 0, orient: "horizontal", left: "center", bottom: 0,
      itemHeight: 90, itemWidth: 10, text: [`USD ${most}`, "0"], textStyle: { color: QUIET },
      inRange: { color: SCALE } },
    series: [
      { type: "map", geoIndex: 0, data: data.countries.map((one) => ({ name: one.code, value: one.cost })) },
      { type: "scatter", coordinateSystem: "geo",
        symbolSize: (value) => 6 + 22 * Math.sqrt(value[2] / longest),
        itemStyle: { color: "transparent", borderColor: INK, borderWidth: 1.5 },
        label: { show: true, formatter: (one) => one.data.code, fontSize: 10, color: INK,
          position: "right", textBorderColor: CARD, textBorderWidth: 2 },
        labelLayout: { hideOverlap: true },
        data: data.countries.filter((one) => middle.has(one.code))
          .map((one) => ({ value: [...middle.get(one.code), one.minutes], code: one.code })) },
    ],
  };
}

function centre(geometry) {
  const rings = geometry.type === "Polygon" ? [geometry.coordinates[0]]
    : geometry.coordinates.map((polygon) => polygon[0]);
  const ring = rings.reduce((a, b) => (b.length > a.length ? b : a));
  const xs = ring.map((p) => p[0]), ys = ring.map((p) => p[1]);
  return [(Math.min(...xs) + Math.max(...xs)) / 2, (Math.min(...ys) + Math.max(...ys)) / 2];
}

const SHAPES = ["circle", "rect", "triangle", "diamond", "pin", "arrow", "roundRect"];

function timeline(data) {
  const from = data.from ? `${data.from}T00:00:00Z` : null;
  const events = from ? data.events.filter((one) => one[0] >= from) : data.events;
  return {
    ...BASE,
    tooltip: { ...BASE.tooltip, formatter: (one) => one.seriesType === "bar"
      ? `${one.value[0]}\n${one.seriesName}: ${one.value[1]}` : `${one.value[0].slice(0, 16)}\n${one.value[1]}: ${one.value[2]}` },
    grid: [{ left: 130, right: 12, top: 26, height: "38%" }, { left: 130, right: 12, top: "56%", bottom: 28 }],
    legend: { top: 0, itemGap: 28, textStyle: { color: QUIET }, data: ["calls made", "calls received"] },
    xAxis: [0, 1].map((gridIndex) => ({ ...AXIS, gridIndex, type: "time", min: from ?? undefined,
      max: data.days.length ? data.days.at(-1)[0] + "T23:59:59Z" : undefined,
      axisLabel: { color: QUIET, show: gridIndex === 1, hideOverlap: true } })),
    yAxis: [{ ...AXIS, gridIndex: 0, type: "value" },
      { ...AXIS, gridIndex: 1, type: "category", inverse: true, data: data.kinds }],
    series: [
      { name: "calls made", type: "bar", stack: "calls", data: data.days.map((d) => [d[0], d[1]]),
        itemStyle: { color: BLUE } },
      { name: "calls received", type: "bar", stack: "calls", data: data.days.map((d) => [d[0], d[2]]),
        itemStyle: { color: CARD, borderColor: BLUE, borderWidth: 1,
          decal: { symbol: "line", color: BLUE, dashArrayX: [1, 0], dashArrayY: [2, 4], rotation: 0.8 } } },
      { type: "scatter", xAxisIndex: 1, yAxisIndex: 1, data: events, symbolSize: 9,
        symbol: (value) => SHAPES[data.kinds.indexOf(value[1]) % SHAPES.length],
        itemStyle: { color: INK, opacity: 0.75 } },
    ],
  };
}

// symbol, size, whether it is drawn hollow
const TIES = {
  "this account": ["circle", 26], account: ["circle", 16, true], "blocked account": ["rect", 18],
  number: ["triangle", 13], "number called": ["arrow", 14], "number that called": ["triangle", 13, true],
  device: ["roundRect", 13], "means of payment": ["diamond", 15], "IP address": ["pin", 20],
  "IP address called from": ["pin", 20, true],
  "postal address": ["rect", 12, true], "mail domain": ["diamond", 14, true], text: ["roundRect", 12, true],
};

// the account in the middle, what it has or uses around it, and outside who else does
function around(data) {
  const others = new Map();
  const owners = new Map();
  for (const [from, to] of data.edges) {
    if (from === "me") continue;
    others.set(to, [...(others.get(to) ?? []), from]);
    owners.set(from, owners.get(from) ?? to);
  }
  const values = data.nodes.map((node) => node.id).filter((id) => id !== "me" && !others.has(id));
  const shared = values.filter((id) => owners.has(id))
    .sort((a, b) => owners.get(a).localeCompare(owners.get(b)));
  const ring = [...shared, ...values.filter((id) => !owners.has(id))];
  const turn = (2 * Math.PI) / Math.max(ring.length, 1);
  const angles = new Map(ring.map((id, place) => [id, turn * (place + 0.5)]));
  const middle = (ids) => Math.atan2(
    ids.reduce((sum, id) => sum + Math.sin(angles.get(id)), 0),
    ids.reduce((sum, id) => sum + Math.cos(angles.get(id)), 0));
  const outside = [...others].map(([id, ids]) => [id, (middle(ids) + 2 * Math.PI) % (2 * Math.PI)])
    .sort((a, b) => a[1] - b[1]);
  const apart = Math.min(0.35, (2 * Math.PI) / Math.max(outside.length, 1));
  outside.forEach((one, place) => {
    if (place) one[1] = Math.max(one[1], outside[place - 1][1] + apart);
  });
  const at = (angle, radius) => ({ x: radius * Math.cos(angle), y: radius * Math.sin(angle) });
  return new Map([["me", at(0, 0)],
    ...[...angles].map(([id, angle]) => [id, at(angle, 100)]),
    ...outside.map(([id, angle]) => [id, at(angle, 170)])]);
}

function side(id, place) {
  if (id === "me") return "bottom";
  if (id.startsWith("a")) return place.y < 0 ? "top" : "bottom";
  return place.x < 0 ? "left" : "right";
}

function graph(data) {
  const places = around(data);
  const kinds = Object.keys(TIES).filter((kind) => data.nodes.some((node) => node.kind === kind));
  const colour = (kind) => (kind === "blocked account" ? RED : kind === "this account" || kind === "account" ? BLUE : QUIET);
  const style = (kind) => (TIES[kind][2] ? { color: CARD, borderColor: colour(kind), borderWidth: 1.5 } : { color: colour(kind) });
  return {
    ...BASE,
    tooltip: { ...BASE.tooltip, formatter: (one) => (one.dataType === "node" ? `${one.data.kind}\n${one.data.name}` : "") },
    legend: { bottom: 0, itemWidth: 14, itemHeight: 12, itemGap: 8, textStyle: { color: QUIET, fontSize: 11 },
      data: kinds.map((name) => ({ name, icon: TIES[name][0] })) },
    series: [{ type: "graph", layout: "none", roam: false, left: 70, right: 70, top: 24, bottom: 100,
      preserveAspect: true,
      categories: kinds.map((name) => ({ name, symbol: TIES[name][0], itemStyle: style(name) })),
      lineStyle: { color: QUIET, width: 1 },
      label: { show: true, position: "right", fontSize: 11, color: INK, formatter: (one) =>
        one.data.blocked ? `${one.data.name} (blocked)` : `${one.data.name}` },
      labelLayout: { hideOverlap: true },
      data: data.nodes.map((node) => ({ id: node.id, name: node.label, kind: node.kind, blocked: node.blocked,
        ...places.get(node.id), label: { position: side(node.id, places.get(node.id)) },
        category: kinds.indexOf(node.kind), symbol: TIES[node.kind][0], symbolSize: TIES[node.kind][1] })),
      links: data.edges.map(([source, target]) => ({ source, target })) }],
  };
}

const DRAW = { heat, world, timeline, graph };

async function draw() {
  const places = [...document.querySelectorAll("[data-picture]")];
  if (!places.length || typeof echarts === "undefined") return;
  echarts.registerMap("world", await (await fetch(places[0].dataset.world)).json());
  const charts = places.map((place) => {
    place.hidden = false;
    const chart = echarts.init(place, null, { renderer: "svg" });
    chart.setOption(DRAW[place.dataset.picture](JSON.parse(document.getElementById(place.dataset.picture).textContent)));
    place.closest("figure").querySelector("details").open = false;
    place.dataset.drawn = "yes";
    return chart;
  });
  addEventListener("resize", () => charts.forEach((chart) => chart.resize()));
}

draw();
