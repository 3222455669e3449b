/** The end of a weaver's lifetime, as far as it is near. No DOM. */

import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import type { WeaverApi } from './api';
import { longerBy } from './lifetimes';
import type { IWeaver } from './models';

/** From here on, in ms, the end is near. The server warns at 10 minutes. */
export const NEAR = 10.5 * 60_000;
const TICK = 1_000;
/** Somebody else may extend it: look so often, in ticks. */
const LOOK_AFTER = 30;

export class Deadline implements IDisposable {
  constructor(
    private readonly api: Pick<WeaverApi, 'get' | 'extend'>,
    private readonly id: string,
    private readonly trans: TranslationBundle
  ) {}

  /** Once a second while the end is near, and when it is not any more. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** In ms; null while it is far. */
  get left(): number | null {
    const left = this._expiresAt - Date.now();
    return left < NEAR ? Math.max(0, left) : null;
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  dispose(): void {
    this._disposed = true;
    clearInterval(this._ticking);
    Signal.clearData(this);
  }

  /** The weaver ends at this time, as the API writes it. */
  set(expiresAt: string): void {
    this._expiresAt = Date.parse(expiresAt);
    clearInterval(this._ticking);
    if (this.left !== null) {
      this._ticking = setInterval(() => this._tick(), TICK);
    }
    this._changed.emit();
  }

  /** An hour more, as far as there may be. Rejects with why there is none. */
  async extend(): Promise<IWeaver> {
    const hours = longerBy(await this.api.get(this.id), 1, this.trans);
    const weaver = await this.api.extend(this.id, hours);
    this.set(weaver.expires_at);
    return weaver;
  }

  private _tick(): void {
    this._ticks += 1;
    if (this._ticks % LOOK_AFTER === 0) {
      void this._look();
    }
    this._changed.emit();
  }

  private async _look(): Promise<void> {
    try {
      const weaver = await this.api.get(this.id);
      if (!this._disposed) {
        this.set(weaver.expires_at);
      }
    } catch {
      // The terminal itself shows that the server is away, or the weaver gone.
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private _expiresAt = Number.POSITIVE_INFINITY;
  private _ticking: ReturnType<typeof setInterval> | undefined;
  private _ticks = 0;
  private _disposed = false;
}
