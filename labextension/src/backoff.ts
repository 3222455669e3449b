/** When something is tried again. No I/O. */

/** Long enough that a server which starts again is met at its second or third attempt. */
export const FIRST_DELAY = 250;
export const LONGEST_DELAY = 10_000;
/** A link that broke sooner than this is no sign that all is well again. */
export const STEADY_AFTER = 5_000;

/** Ever longer pauses in ms, each with jitter, so that a thousand pages do not come back at once. */
export class Backoff {
  constructor(private readonly random: () => number = Math.random) {}

  get attempts(): number {
    return this._attempts;
  }

  /** All is well: the next failure is a first one. */
  restart(): void {
    this._attempts = 0;
  }

  next(): number {
    const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this._attempts);
    this._attempts += 1;
    return delay * (0.5 + this.random() / 2);
  }

  private _attempts = 0;
}
