const FIRST_DELAY = 2_000;
const MAX_DELAY = 30_000;

/**
 * The gateway's stream. An EventSource reconnects if its connection breaks, but not after an error response, such as
 * 503 for too many listeners. Then a new EventSource is created, after a delay that doubles.
 */
export class Stream {
  /** Start of the period without an open stream, in milliseconds of the browser's clock; null while one is open. */
  brokenSince = Date.now();

  /** Time of the next attempt after an error response; null if none is scheduled. */
  nextAttemptAt = null;

  #url;
  #receive;
  #source = null;
  #rejections = 0;
  #timer = 0;

  /** @param receive callback with the type of each event, its data and the time of its observation */
  constructor(url, receive) {
    this.#url = url;
    this.#receive = receive;
  }

  open() {
    this.#close();
    const source = new EventSource(this.#url);
    this.#source = source;
    source.onopen = () => this.#alive();
    source.onerror = () => this.#broken(source);
    for (const type of ['prompt', 'stale', 'unknown', 'done']) {
      source.addEventListener(type, (event) => {
        this.#alive();
        if (type === 'done') {
          // Otherwise the browser would reconnect
          this.#close();
        }
        this.#receive(type, JSON.parse(event.data), parseInt(event.lastEventId, 10));
      });
    }
  }

  #close() {
    clearTimeout(this.#timer);
    this.nextAttemptAt = null;
    this.#source?.close();
  }

  #alive() {
    this.brokenSince = null;
    this.#rejections = 0;
  }

  #broken(source) {
    this.brokenSince ??= Date.now();
    if (source.readyState === EventSource.CLOSED) {
      const delay = Math.min(MAX_DELAY, FIRST_DELAY * 2 ** this.#rejections++) * (0.8 + 0.4 * Math.random());
      this.nextAttemptAt = Date.now() + delay;
      this.#timer = setTimeout(() => this.open(), delay);
    }
  }
}
