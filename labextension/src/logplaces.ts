/**
 * A browser follows two logs at a time: over HTTP/1.1 it has six connections to a host, for all its tabs together.
 * The places are Web Locks, so that all tabs share them; without a secure context there are none, and no limit.
 */

import type { IDisposable } from '@lumino/disposable';

const PLACES = ['loom-weaver:log-stream-1', 'loom-weaver:log-stream-2'] as const;
/** The place that this page has taken last: whoever needs one takes the other. */
let latest: string = PLACES[1];

export class LogPlace implements IDisposable {
  /** `given` and `lost` may each be called again and again. */
  constructor(
    private readonly given: () => void,
    private readonly lost: () => void
  ) {}

  get isDisposed(): boolean {
    return this._disposed;
  }

  get isHeld(): boolean {
    return this._release !== null;
  }

  dispose(): void {
    this._disposed = true;
    this.release();
  }

  /** Have one now, even if another log has to wait for it. */
  async take(): Promise<void> {
    if (this._disposed || this.isHeld || this._isTaking) {
      return;
    }
    const wish = this._newWish();
    if (!navigator.locks) {
      this._hold(wish);
      return;
    }
    this._isTaking = true;
    const { held = [] } = await navigator.locks.query();
    if (wish.signal.aborted) {
      return;
    }
    const taken = new Set(held.map(lock => lock.name));
    const free = PLACES.find(name => !taken.has(name));
    const name = free ?? PLACES.find(each => each !== latest)!;
    this._ask(name, free ? { ifAvailable: true } : { steal: true }, wish);
  }

  /** Let another log have it, and wait for none. */
  release(): void {
    this._isTaking = false;
    this._wish?.abort();
    this._wish = null;
    this._release?.();
    this._release = null;
  }

  private _newWish(): AbortController {
    this._wish?.abort();
    this._wish = new AbortController();
    return this._wish;
  }

  private _ask(name: string, options: LockOptions, wish: AbortController): void {
    navigator.locks
      .request(name, options, lock => this._answered(lock, name, wish))
      .catch(() => this._wasTaken(wish));
  }

  /** A place that was free may be gone by now: then the next look finds it held. */
  private _answered(
    lock: Lock | null,
    name: string,
    wish: AbortController
  ): Promise<void> | undefined {
    if (lock !== null) {
      return this._hold(wish, name);
    }
    if (this._wish === wish) {
      this._isTaking = false;
      void this.take();
    }
    return undefined;
  }

  /** Until it is given back, or taken. */
  private _hold(wish: AbortController, name = latest): Promise<void> | undefined {
    if (this._wish !== wish || this.isHeld) {
      return undefined;
    }
    latest = name;
    this._isTaking = false;
    const held = new Promise<void>(resolve => {
      this._release = resolve;
    });
    this.given();
    return held;
  }

  /** Another log has it now; this one goes on as soon as there is room again. */
  private _wasTaken(wish: AbortController): void {
    if (this._wish !== wish) {
      return;
    }
    this._isTaking = false;
    if (!this.isHeld) {
      return;
    }
    this._release = null;
    this.lost();
    const next = this._newWish();
    for (const name of PLACES) {
      this._ask(name, { signal: next.signal }, next);
    }
  }

  private _wish: AbortController | null = null;
  private _release: (() => void) | null = null;
  private _isTaking = false;
  private _disposed = false;
}
