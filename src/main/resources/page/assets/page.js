import { Chart } from './chart.js';
import { History } from './history.js';
import { Stream } from './stream.js';
import { clockTime, duration, grouped } from './words.js';

/** Time after which a stream that is broken or contradicts the gateway's status counts as lost. */
const LOST_AFTER = 30_000;
const STATUS_EVERY = 5_000;
const RECORD_EVERY = 15_000;
const ANNOUNCE_EVERY = 10_000;
const TIMEOUT = 10_000;

const element = (id) => document.getElementById(id);

const history = new History();
const stream = new Stream('api/prompt/events', receive);

/** Displayed values: the last queue length, its state, the error, and the time of the observation (gateway's clock). */
const shown = { state: 'waiting', number: null, observedAt: null, error: null };

/** The gateway's status; null before the first response. */
let status = null;

/** Gateway's clock minus the browser's, in milliseconds. */
let clockOffset = 0;

/** Start of the period without a response of the gateway; null if it responds. */
let silentSince = null;

/** Start of the period in which the status and an open stream have different queue lengths; null if they agree. */
let contradictedSince = null;

let chart = null;

const gatewayNow = () => Date.now() + clockOffset;

function receive(type, data, observedAt) {
  const before = shown.state;
  if (type === 'prompt' || type === 'done') {
    const number = data.exec_info?.queue_remaining ?? null;
    Object.assign(shown, { state: 'fresh', number, observedAt: observedAt || gatewayNow(), error: null });
    addToHistory('live', number);
  } else {
    shown.state = type;
    shown.error = data;
    if (type === 'unknown') {
      shown.number = null;
    }
  }
  contradictedSince = null;
  extendHistory();
  render();
  if (shown.state !== before) {
    readStatus();
  }
}

async function readJson(url, cache) {
  const response = await fetch(url, { cache, signal: AbortSignal.timeout(TIMEOUT) });
  if (!response.ok) {
    throw new Error(`${url}: ${response.status}`);
  }
  return response.json();
}

async function readStatus() {
  if (document.hidden) {
    return;
  }
  const first = !status;
  try {
    status = await readJson('page/status.json', 'no-store');
    clockOffset = Date.parse(status.now) - Date.now();
    silentSince = null;
    if (stream.brokenSince === null) {
      compareStatus();
    } else {
      showStatus();
    }
  } catch {
    silentSince ??= Date.now();
  }
  if (first) {
    drawHistory();
  }
  render();
}

/**
 * Updates the age from the status, since the stream has no events while the queue length stays the same. If the queue
 * lengths differ for 30 s, the stream is open but dead, such as behind a proxy that has dropped it: a new one is opened.
 */
function compareStatus() {
  const observedAt = Date.parse(status.observedAt);
  if (!(observedAt > shown.observedAt)) {
    return;
  }
  const number = status.queueRemaining ?? null;
  if (shown.state === 'stale' && shown.number === null) {
    shown.number = number;
  }
  if (number === shown.number) {
    shown.observedAt = observedAt;
    contradictedSince = null;
  } else {
    contradictedSince ??= Date.now();
    if (Date.now() - contradictedSince >= LOST_AFTER) {
      stream.open();
    }
  }
}

/** Shows the status as a fallback if there is no stream. */
function showStatus() {
  contradictedSince = null;
  shown.error = status.code ? { code: status.code } : null;
  if (status.observedAt) {
    shown.observedAt = Date.parse(status.observedAt);
    shown.number = status.queueRemaining ?? null;
    const fresh = gatewayNow() - Date.parse(status.arrivedAt) < status.freshForSeconds * 1000;
    shown.state = fresh ? 'fresh' : 'stale';
  } else {
    shown.number = null;
    shown.state = status.code ? 'unknown' : 'waiting';
  }
}

async function readRecord() {
  if (document.hidden) {
    return;
  }
  try {
    history.addRecord(await readJson('api/prompt/history', 'default'));
    drawHistory();
  } catch {
    // readStatus() reports that the gateway does not respond
  }
}

/** Extends the history while the stream has no events, since the queue length has not changed. */
function extendHistory() {
  if (stream.brokenSince === null && shown.state !== 'waiting') {
    const fresh = shown.state === 'fresh';
    addToHistory(fresh ? 'known' : 'failed', fresh ? shown.number : null);
  }
}

function addToHistory(rank, number) {
  if (status && history.add(gatewayNow() / 1000, rank, number)) {
    drawHistory();
  }
}

/**
 * Draws the history once the gateway's clock is known. With the browser's clock, the history could cover another hour.
 */
function drawHistory() {
  if (!status) {
    return;
  }
  const now = gatewayNow() / 1000;
  const points = history.points(now);
  if (chart) {
    chart.update(points, history.interval);
  } else if (window.uPlot) {
    chart = new Chart(element('chart'), element('hover'), points);
  }
  element('table').replaceChildren(...history.steps(now).map(tableRow));
}

function tableRow(step) {
  const row = document.createElement('tr');
  const from = document.createElement('th');
  from.scope = 'row';
  from.textContent = clockTime(step.from);
  row.append(from);
  const gaps = [step.failed && 'upstream failed', step.unasked && 'no requests'].filter(Boolean).join(', ');
  const numbers = [step.lowest, step.highest, step.last].map((value) => (value === null ? '–' : grouped(value)));
  for (const text of [...numbers, gaps || 'none']) {
    row.insertCell().textContent = text;
  }
  return row;
}

function render() {
  const now = element('now');
  const since = [stream.brokenSince, silentSince, contradictedSince].filter((time) => time !== null);
  const lostFor = since.length ? Date.now() - Math.min(...since) : 0;
  const lost = lostFor >= LOST_AFTER;
  now.dataset.state = shown.state;
  now.toggleAttribute('data-lost', lost);
  const number = shown.number === null ? '?' : grouped(shown.number);
  setText('number', number);
  element('number').style.setProperty('--digits', number.length);
  setText('unit', shown.number === 1 ? 'item remaining' : 'items remaining');
  setText('state', lost ? 'not live' : shown.state);
  setText('age', ageText());
  setText('why', whyText());
  setText('stream', streamText(lost, lostFor));
  setText('upstream', upstreamText());
  if (status) {
    const { savedRequests, requests, upstreamRequests } = status;
    setText('saved', `${grouped(savedRequests)} (${grouped(requests)} answers, ${grouped(upstreamRequests)} upstream requests)`);
    setText('pod', status.pod);
  }
  document.title = shown.number === null ? 'Comfy Cloud queue' : `${number} · Comfy Cloud queue`;
  announce(`${shown.number === null ? 'No number' : `${number} items remaining`}, ${lost ? 'not live' : shown.state}`);
}

/** Sets a text if it has changed, and hides the element if the text is empty. */
function setText(id, text) {
  const target = element(id);
  if (target.textContent !== text) {
    target.textContent = text;
  }
  target.hidden = text === '';
}

function ageText() {
  if (shown.state === 'unknown') {
    return status?.lastGoodAt ? `last answer ${duration(gatewayNow() - Date.parse(status.lastGoodAt))} ago` : '';
  }
  return shown.observedAt === null ? '' : `observed ${duration(gatewayNow() - shown.observedAt)} ago`;
}

function whyText() {
  const { code, message } = shown.error ?? {};
  if (code) {
    const reason = status?.code === code ? ` (${status.reason})` : '';
    return `${code}${reason}${message ? `: ${message}` : ''}`;
  }
  if (shown.state === 'waiting') {
    return status?.state === 'not asked yet' ? 'No request yet.' : '';
  }
  if (shown.state === 'stale') {
    return 'No request since then.';
  }
  return shown.number === null ? 'The upstream reports no queue length.' : '';
}

function streamText(lost, lostFor) {
  const next = stream.nextAttemptAt === null ? '' : ` Next attempt in ${duration(stream.nextAttemptAt - Date.now())}.`;
  if (lost) {
    return `No live updates for ${duration(lostFor)}. The number may have changed.${next}`;
  }
  if (next) {
    return `The gateway currently rejects live updates.${next}`;
  }
  return stream.brokenSince === null ? '' : 'Connecting to live updates …';
}

function upstreamText() {
  if (!status) {
    return '–';
  }
  const wait = status.nextAttemptAt ? Date.parse(status.nextAttemptAt) - gatewayNow() : 0;
  const cause = `${status.code} (${status.reason})`;
  switch (status.state) {
    case 'answering':
      return 'answering';
    case 'key refused':
      return `key refused: ${cause}; the operator must replace the key${wait > 0 ? `; next attempt in ${duration(wait)}` : ''}`;
    case 'failing':
      return wait > 0
        ? `cool-down after ${cause}; next attempt in ${duration(wait)}`
        : `failing: ${cause}; next attempt with the next request`;
    default:
      return 'no request yet';
  }
}

let announced = '';
let announcedAt = -Infinity;

/** Announces a text to screen readers, up to once in 10 s. */
function announce(text) {
  if (text !== announced && Date.now() - announcedAt >= ANNOUNCE_EVERY) {
    announced = text;
    announcedAt = Date.now();
    element('announcement').textContent = text;
  }
}

async function copy(button) {
  const code = element(button.dataset.copy);
  let copied = true;
  try {
    await navigator.clipboard.writeText(code.textContent);
  } catch {
    // The clipboard API requires TLS: select the text and use the browser's copy command
    getSelection().selectAllChildren(code);
    copied = document.execCommand('copy');
  }
  element('announcement').textContent = copied ? 'Copied' : 'Selected';
  const label = button.firstChild;
  label.data = copied ? 'Copied ' : 'Selected ';
  setTimeout(() => (label.data = 'Copy '), 2_000);
}

const base = new URL('.', document.baseURI).href;
for (const code of document.querySelectorAll('code[id]')) {
  code.textContent = code.textContent.replaceAll('http://localhost:8080/', base);
}
for (const button of document.querySelectorAll('[data-copy]')) {
  button.addEventListener('click', () => copy(button));
}
document.addEventListener('visibilitychange', () => {
  silentSince = null;
  readStatus();
  readRecord();
});

stream.open();
readStatus();
readRecord();
setInterval(readStatus, STATUS_EVERY);
setInterval(readRecord, RECORD_EVERY);
setInterval(() => {
  extendHistory();
  render();
}, 1_000);
