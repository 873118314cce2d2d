const SLOTS = 240;
const STEP_SECONDS = 300;

/** What the stream has brought is newer than the record, and any number says more than none. */
const RANK = { unasked: 0, failed: 1, known: 2, live: 3 };

/** The course of the last hour: the gateway's record, and what the stream has brought since. */
export class Course {
  #interval = 15;
  #points = new Map();

  /** Adds a record. Those of several replicas complete each other. */
  addRecord(record) {
    this.#interval = record.interval_seconds;
    for (const point of record.points) {
      this.add(Date.parse(point.at) / 1000, point.state, point.queue_remaining);
    }
  }

  /**
   * Adds what was known at a time, in seconds.
   * @returns whether that changes its slot
   */
  add(time, rank, value) {
    const at = this.#begin(time);
    const state = rank === 'live' ? 'known' : rank;
    const present = this.#points.get(at);
    if (present && RANK[rank] < RANK[present.rank]) {
      return false;
    }
    this.#points.set(at, { at, state, rank, value });
    return present?.state !== state || present.value !== value;
  }

  #begin(time) {
    return Math.floor(time / this.#interval) * this.#interval;
  }

  get interval() {
    return this.#interval;
  }

  /** Every slot of the hour before a time, in seconds, oldest first: a fixed grid, with null for gaps. */
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

  /** The same in steps of some minutes, newest first. */
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
