const SLOTS = 240;
const STEP_SECONDS = 300;

/** Values from the stream are newer than the history, and a queue length takes precedence over a gap. */
const RANK = { unasked: 0, failed: 1, known: 2, live: 3 };

/** History of the last hour: that of the gateway, and the events of the stream since then. */
export class History {
  #interval = 15;
  #points = new Map();

  /** Adds a history. The histories of several replicas are merged. */
  addRecord(record) {
    this.#interval = record.interval_seconds;
    for (const point of record.points) {
      this.add(Date.parse(point.at) / 1000, point.state, point.queue_remaining);
    }
  }

  /**
   * Adds a value at a time, in seconds.
   * @returns whether its slot has changed
   */
  add(time, rank, value) {
    const at = this.#begin(time);
    const state = rank === 'live' ? 'known' : rank;
    const current = this.#points.get(at);
    if (current && RANK[rank] < RANK[current.rank]) {
      return false;
    }
    this.#points.set(at, { at, state, rank, value });
    return current?.state !== state || current.value !== value;
  }

  #begin(time) {
    return Math.floor(time / this.#interval) * this.#interval;
  }

  get interval() {
    return this.#interval;
  }

  /** Returns every slot of the hour before a time in seconds, oldest first; the value of a gap is null. */
  points(now) {
    const last = this.#begin(now);
    const first = last - (SLOTS - 1) * this.#interval;
    for (const at of this.#points.keys()) {
      if (at < first) {
        this.#points.delete(at);
      }
    }
    return Array.from({ length: SLOTS }, (_, i) => {
      const at = first + i * this.#interval;
      return this.#points.get(at) ?? { at, state: 'unasked', value: null };
    });
  }

  /** Returns the slots in steps of five minutes, newest first. */
  steps(now) {
    const steps = new Map();
    for (const point of this.points(now)) {
      const from = Math.floor(point.at / STEP_SECONDS) * STEP_SECONDS;
      steps.set(from, [...(steps.get(from) ?? []), point]);
    }
    return [...steps].reverse().map(([from, points]) => {
      const values = points.map((point) => point.value).filter((value) => value !== null);
      return {
        from,
        lowest: values.length ? Math.min(...values) : null,
        highest: values.length ? Math.max(...values) : null,
        last: values.at(-1) ?? null,
        failed: points.some((point) => point.state === 'failed'),
        unasked: points.some((point) => point.state === 'unasked'),
      };
    });
  }
}
