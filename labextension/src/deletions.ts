/** Deletes that can still be taken back: nothing is sent before the wait is over. */
import { type ISignal, Signal } from '@lumino/signaling';

import { ApiError, type WeaverApi } from './api';

export class Deletions {
  private readonly _timers = new Map<string, number>();
  private readonly _changed = new Signal<this, void>(this);
  private readonly _failed = new Signal<this, string>(this);

  constructor(private readonly _api: Pick<WeaverApi, 'delete'>) {
    window.addEventListener('pagehide', () => this._sendAll());
  }

  /** How long a delete waits; 0: not at all. */
  seconds = 5;

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Why a weaver could not be deleted. */
  get failed(): ISignal<this, string> {
    return this._failed;
  }

  has(id: string): boolean {
    return this._timers.has(id);
  }

  start(id: string): void {
    this._forget(id);
    this._timers.set(
      id,
      window.setTimeout(() => void this._send(id), this.seconds * 1000)
    );
    this._changed.emit();
  }

  undo(id: string): void {
    if (this._forget(id)) {
      this._changed.emit();
    }
  }

  /** The page goes, and with it the wait: what was asked for is done. */
  private _sendAll(): void {
    for (const id of [...this._timers.keys()]) {
      this._forget(id);
      void this._send(id, true);
    }
  }

  private _forget(id: string): boolean {
    window.clearTimeout(this._timers.get(id));
    return this._timers.delete(id);
  }

  private async _send(id: string, keepalive = false): Promise<void> {
    try {
      await this._api.delete(id, keepalive);
    } catch (error) {
      // Somebody else was faster.
      if (!(error instanceof ApiError && error.status === 404)) {
        this._failed.emit(error instanceof Error ? error.message : String(error));
      }
    }
    this.undo(id);
  }
}
