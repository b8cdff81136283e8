"use strict";

const $ = (id) => document.getElementById(id);
const history = []; // requests a second, for the line

/* Texts are only ever set as text: they come from clients. */
function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function number(value, digits = 0) {
  return value.toLocaleString("en", { maximumFractionDigits: digits, minimumFractionDigits: digits });
}

/* A rate; null: it is not known yet. */
function rate(value) {
  return value === null ? "–" : number(value, value < 10 ? 1 : 0);
}

function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) { value /= 1024; ++unit; }
  return `${number(value, unit === 0 || value >= 100 ? 0 : 1)} ${units[unit]}`;
}

function seconds(value) {
  if (value < 60) return `${Math.ceil(value)} s`;
  if (value < 3600) return `${Math.floor(value / 60)} min ${Math.ceil(value % 60)} s`;
  return `${Math.floor(value / 3600)} h ${Math.ceil((value % 3600) / 60)} min`;
}

function milliseconds(value) {
  if (value === 0) return "–";
  return value < 1000 ? `${number(value, value < 10 ? 1 : 0)} ms` : `${number(value / 1000, 1)} s`;
}

function requestLink(id) {
  const link = element("a", id, "id");
  link.href = `#request=${encodeURIComponent(id)}`;
  return link;
}

/* Each row is a list of cells: a text, [text, class], or an element. */
function fill(table, rows, nothing) {
  const body = $(table).tBodies[0];
  const columns = [...$(table).tHead.rows[0].cells];
  const made = rows.map((cells) => {
    const row = element("tr");
    cells.forEach((cell, i) => {
      const td = element(i === 0 ? "th" : "td");
      if (i === 0) td.scope = "row";
      td.className = columns[i].className;
      if (cell instanceof Node) td.append(cell);
      else if (Array.isArray(cell)) { td.textContent = cell[0]; td.classList.add(cell[1]); }
      else td.textContent = cell;
      row.append(td);
    });
    return row;
  });
  if (made.length === 0) {
    const row = element("tr");
    const cell = element("td", nothing, "none");
    cell.colSpan = columns.length;
    row.append(cell);
    made.push(row);
  }
  body.replaceChildren(...made);
}

function line(values) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 60 20");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `the last ${values.length} seconds`);
  const most = Math.max(1, ...values);
  const points = values.map((v, i) => `${60 - values.length + i + 1},${19 - (18 * v) / most}`);
  const drawn = document.createElementNS(space, "polyline");
  drawn.setAttribute("points", points.join(" "));
  svg.append(drawn);
  return svg;
}

function tile(name, value, more, className) {
  const group = element("div");
  const dd = element("dd", undefined, className);
  dd.append(value);
  if (more instanceof Node) dd.append(more);
  else if (more) dd.append(" ", element("small", more));
  group.append(element("dt", name), dd);
  return group;
}

function showTiles(view) {
  const all = view.all;
  const sum = (name) => view.loops.reduce((total, loop) => total + loop[name], 0);
  if (all.per_second !== null) history.push(all.per_second);
  if (history.length > 60) history.shift();
  const failing = all.per_second > 0 ? (100 * all.failures_per_second) / all.per_second : 0;
  const up = view.uploads;
  $("tiles").replaceChildren(
    tile("Requests a second", rate(all.per_second), line(history)),
    tile("5xx", `${number(failing, 2)} %`, `${number(all.failures)} in all`, failing >= 1 ? "bad" : ""),
    tile("p99 at most", milliseconds(all.p99_ms), `p50 ${milliseconds(all.p50_ms)}`),
    tile("In progress", number(sum("requests")), "requests"),
    tile("Connections", number(sum("connections")), `${view.loops.length} loops`),
    tile("Uploads", number(up.count), up.count > 0 ? `${bytes(up.bytes_left)} left` : ""),
    tile("Bans in force", number(view.bans)));
}

function showDrain(view) {
  const { draining, since_s: since, uploads_max_s: most } = view.drain;
  $("drain").hidden = !draining;
  if (!draining) return;
  const up = view.uploads;
  let text = `Draining for ${seconds(since)}: no new connections are wanted.`;
  if (up.count > 0) {
    text += ` ${number(up.count)} uploads with ${bytes(up.bytes_left)} left`;
    text += up.unknown < up.count ? `, probably ${seconds(up.longest_s)}.` : ".";
    text += ` Cut off at ${seconds(most)}.`;
  }
  if ($("drain").textContent !== text) $("drain").textContent = text;
}

function showUploads(view) {
  fill("uploads", view.uploads.rows.map((each) => {
    const known = each.size !== undefined;
    const bar = element("progress");
    bar.setAttribute("aria-label", "done");
    if (known) { bar.max = each.size; bar.value = each.bytes; }
    const left = each.seconds_left;
    return [requestLink(each.request_id), each.route, each.instance || "–", bar, bytes(each.bytes),
      known ? bytes(each.size - each.bytes) : "unknown", `${bytes(each.bytes_per_second)}`,
      left === undefined ? ["unknown", "mid"] : seconds(left)];
  }), "No uploads at the moment.");
}

function errors(perSecond, of) {
  const share = of > 0 ? (100 * perSecond) / of : 0;
  const text = perSecond === null ? "–" : perSecond === 0 ? "0" : `${number(share, 1)} %`;
  return [text, share >= 5 ? "bad" : share >= 1 ? "mid" : "plain"];
}

function showRoutes(view) {
  fill("routes", view.routes.map((each) => [
    each.route, rate(each.per_second),
    errors(each.failures_per_second, each.per_second),
    errors(each.client_errors_per_second, each.per_second), milliseconds(each.p50_ms),
    milliseconds(each.p99_ms), number(each.requests), number(each.failures)]),
  "No requests yet.");
}

function stateOf(instance, loops) {
  if (!instance.ready) return ["not ready", "bad"];
  if (instance.ejected_by === 0) return ["ready", "good"];
  return [`left out by ${instance.ejected_by} of ${loops} loops`, "mid"];
}

function showServices(view) {
  const rows = [];
  for (const service of view.services) {
    const name = service.waiting > 0 ? `${service.name} (${service.waiting} waiting)` : service.name;
    if (service.instances.length === 0) {
      rows.push([name, "–", ["no instance", "bad"], "", "", "", "", ""]);
    }
    for (const each of service.instances) {
      rows.push([name, each.address, stateOf(each, view.loops.length), number(each.in_flight),
        bytes(each.bytes_in_flight), milliseconds(each.latency_ms), number(each.connections),
        number(each.idle)]);
    }
  }
  fill("services", rows, "No services.");
}

function showCertificates(view) {
  $("certificates").closest("section").hidden = view.certificates.length === 0;
  fill("certificates", view.certificates.map((each) => [
    each.listener, each.names.join(", "), each.kind, each.file, each.not_after.slice(0, 10),
    [number(Math.floor(each.days_left)),
      each.days_left < 7 ? "bad" : each.days_left < 21 ? "mid" : "plain"]]), "");
}

function showRest(view) {
  fill("loops", view.loops.map((each, i) => [
    `${i}`, number(each.connections), number(each.requests), number(each.uploads)]), "");
  fill("failures", view.failures.map((each) => [
    new Date(each.started_at).toLocaleTimeString("en-GB"), requestLink(each.request_id),
    `${each.method} ${each.path}`,
    [`${each.status}`, each.status >= 500 ? "bad" : each.status >= 400 ? "mid" : "plain"],
    each.reason || (each.status >= 500 ? "the service's answer" : "slow"),
    each.upstream_instance || "–", milliseconds(each.total_ms)]), "None that are remembered.");
}

function show(view) {
  $("content").className = "";
  $("instance").textContent = view.instance;
  document.title = `${view.instance}: gateway, live`;
  $("state").className = "";
  const state = `${view.drain.draining ? "Draining" : "Serving"}, version ${view.version}`;
  if ($("state").textContent !== state) $("state").textContent = state;
  showTiles(view);
  showDrain(view);
  showUploads(view);
  showRoutes(view);
  showServices(view);
  showCertificates(view);
  showRest(view);
}

async function ask(id) {
  const answer = await fetch(`/requests/${encodeURIComponent(id)}`);
  const told = await answer.json();
  $("answer-title").textContent = `Request ${id}`;
  const story = answer.ok ? told.story.filter((each) => !each.startsWith("Next: ")) : [told.detail];
  $("story").replaceChildren(...story.map((each) => element("li", each)));
  $("next").textContent = answer.ok && told.next_step ? `What to do: ${told.next_step}` : "";
  $("raw").textContent = JSON.stringify(told, null, 2);
  $("answer").hidden = false;
  $("answer").focus();
}

function askByAddress() {
  const found = /^#request=(.+)$/.exec(location.hash);
  if (found) ask(decodeURIComponent(found[1]));
}

function start() {
  $("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    const id = $("id").value.trim();
    if (id) {
      const hash = `#request=${encodeURIComponent(id)}`;
      if (location.hash === hash) ask(id);
      location.hash = hash;
    }
  });
  $("close-answer").addEventListener("click", () => {
    $("answer").hidden = true;
    location.hash = "";
    $("id").focus();
  });
  addEventListener("hashchange", askByAddress);
  askByAddress();
  const source = new EventSource("/live/events");
  source.addEventListener("view", (event) => show(JSON.parse(event.data)));
  source.addEventListener("error", () => {
    $("state").className = "lost";
    $("state").textContent = "The gateway does not answer; these are its last figures.";
  });
}

start();
