import { clockTime, compact } from './words.js';

const HEIGHT = 220;
const FONT = '12px system-ui, sans-serif';
const FAILED_RULE = 4;

/** Tick increments of an axis with whole numbers. */
const STEPS = Array.from({ length: 18 }, (_, i) => [1, 2, 5].map((n) => n * 10 ** i)).flat();

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Chart of the last hour, drawn by uPlot. */
export class Chart {
  #points;
  #interval = 15;
  #plot;

  /** @param hover element for the description of the slot under the pointer */
  constructor(element, hover, points) {
    this.#points = points;
    const axis = { stroke: () => color('muted'), font: FONT, ticks: { show: false } };
    const grid = { stroke: () => color('rule'), width: 1 };
    const options = {
      width: element.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false } },
      scales: {
        x: { range: () => [this.#points[0].at, this.#points.at(-1).at + this.#interval] },
        y: { range: (plot, min, max) => [0, Math.max(4, max ?? 0) * 1.1] },
      },
      axes: [
        { ...axis, grid: { show: false }, values: (plot, times) => times.map(clockTime) },
        { ...axis, grid, incrs: STEPS, size: 56, values: (plot, numbers) => numbers.map(compact) },
      ],
      series: [
        {},
        {
          stroke: () => color('accent'),
          width: 2,
          spanGaps: false,
          // A queue length between two gaps has no line and needs a point
          points: { show: true, size: 4, width: 0, fill: () => color('accent') },
        },
      ],
      hooks: {
        drawClear: [(plot) => this.#drawGaps(plot)],
        setCursor: [(plot) => (hover.textContent = this.#describe(plot.cursor.idx))],
      },
    };
    this.#plot = new uPlot(options, this.#data(), element);
    new ResizeObserver(() => this.#plot.setSize({ width: element.clientWidth, height: HEIGHT })).observe(element);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#plot.redraw());
  }

  update(points, interval) {
    this.#points = points;
    this.#interval = interval;
    this.#plot.setData(this.#data());
  }

  #data() {
    return [this.#points.map((point) => point.at), this.#points.map((point) => point.value)];
  }

  #drawGaps(plot) {
    const { top, height } = plot.bbox;
    for (const { at, state } of this.#points) {
      if (state !== 'known') {
        const left = Math.round(plot.valToPos(at, 'x', true));
        const width = Math.round(plot.valToPos(at + this.#interval, 'x', true)) - left;
        plot.ctx.fillStyle = color(state);
        plot.ctx.fillRect(left, top, width, height);
        if (state === 'failed') {
          const rule = FAILED_RULE * devicePixelRatio;
          plot.ctx.fillStyle = color('bad');
          plot.ctx.fillRect(left, top + height - rule, width, rule);
        }
      }
    }
  }

  #describe(index) {
    const point = this.#points[index];
    if (!point) {
      return '';
    }
    const words = { failed: 'upstream failed', unasked: 'no requests' };
    return `${clockTime(point.at)}: ${words[point.state] ?? point.value ?? 'no number'}`;
  }
}
