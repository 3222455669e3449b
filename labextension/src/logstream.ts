/**
 * A weaver's log as it comes, over however many connections it takes. No DOM.
 *
 * Nothing is lost and nothing comes twice: each connection goes on behind the last event of the one before. A stream
 * that nobody looks at is paused: it lets go of its connection, of which a browser has but a few.
 */

import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import { ApiError, type IStreamOptions, type WeaverApi } from './api';
import { Backoff } from './backoff';
import type { IServerEvent } from './sse';

/** `waiting`: the stream broke and another attempt is due. `ended`: all that there will be has come. */
export type LogState = 'paused' | 'connecting' | 'following' | 'waiting' | 'ended' | 'failed';

export interface ILogLine {
  kind: 'line';
  /** The time, a space, the line; the parts of a progress bar are joined by newlines. */
  text: string;
}

export interface ILogGap {
  kind: 'gap';
  bytes: number | null;
}

export type LogItem = ILogLine | ILogGap;

/** How the weaver ended. */
export interface ILogEnd {
  status: string;
  exit_code: number | null;
  reason: string | null;
}

/** What a log stream needs of the API. */
export type LogServer = Pick<WeaverApi, 'logs'>;

/** Without even a comment for so long, in ms, the stream is dead: the server sends one each 15 s. */
export const SILENCE = 40_000;
/** Work at most so long, in ms, before the page may react to its user. */
const SLICE = 12;

export class LogStream implements IDisposable {
  constructor(
    private readonly server: LogServer,
    readonly weaverId: string,
    readonly tail: number
  ) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Lines and gaps in order, many at once. */
  get received(): ISignal<this, LogItem[]> {
    return this._received;
  }

  get state(): LogState {
    return this._state;
  }

  /** Why there is no stream, in words. */
  get problem(): string {
    return this._problem;
  }

  get end(): ILogEnd | null {
    return this._end;
  }

  get lastEventId(): string | null {
    return this._lastEventId;
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  dispose(): void {
    if (this._disposed) {
      return;
    }
    this.pause();
    this._disposed = true;
    Signal.clearData(this);
  }

  /** Begin, or go on where it was. */
  resume(): void {
    const idle = this._state === 'paused' || this._state === 'waiting' || this._state === 'failed';
    if (this._disposed || !idle) {
      return;
    }
    clearTimeout(this._retry);
    void this._follow();
  }

  /** Let go of the connection. */
  pause(): void {
    clearTimeout(this._retry);
    this._abort?.abort();
    this._abort = null;
    if (this._state !== 'ended' && this._state !== 'failed') {
      this._enter('paused', '');
    }
  }

  private async _follow(): Promise<void> {
    const abort = new AbortController();
    this._abort = abort;
    this._enter('connecting', this._problem);
    this._expectSomething(abort);
    try {
      await this._read(abort);
      this._broke(abort, '');
    } catch (error) {
      this._failed(abort, error as Error);
    } finally {
      abort.abort();
    }
  }

  /** Until the log or the connection is at its end, or nobody looks any more. */
  private async _read(abort: AbortController): Promise<void> {
    let busySince = performance.now();
    for await (const events of this.server.logs(this.weaverId, this._options(abort))) {
      if (abort.signal.aborted || this._take(events)) {
        return;
      }
      if (performance.now() - busySince > SLICE) {
        await nextTask();
        busySince = performance.now();
      }
    }
  }

  private _options(abort: AbortController): IStreamOptions {
    return {
      query: { tail: String(this.tail), timestamps: 'true' },
      signal: abort.signal,
      opened: () => this._opened(abort),
      alive: () => this._expectSomething(abort),
      ...(this._lastEventId === null ? {} : { lastEventId: this._lastEventId })
    };
  }

  private _opened(abort: AbortController): void {
    if (this._abort === abort) {
      this._backoff.restart();
      this._enter('following', '');
    }
  }

  /** Whether the log is at its end. */
  private _take(events: IServerEvent[]): boolean {
    const items: LogItem[] = [];
    let end: ILogEnd | null = null;
    for (const event of events) {
      this._lastEventId = event.id || this._lastEventId;
      if (event.event === 'message') {
        items.push({ kind: 'line', text: event.data });
      } else if (event.event === 'gap') {
        items.push({ kind: 'gap', bytes: (JSON.parse(event.data) as ILogGap).bytes });
      } else if (event.event === 'end') {
        end = JSON.parse(event.data) as ILogEnd;
      }
    }
    if (items.length > 0) {
      this._received.emit(items);
    }
    if (end !== null) {
      this._abort = null;
      this._end = end;
      this._enter('ended', '');
    }
    return end !== null;
  }

  private _failed(abort: AbortController, error: Error): void {
    if (this._abort === abort && error instanceof ApiError && error.isFinal) {
      this._abort = null;
      this._enter('failed', error.message);
    } else {
      this._broke(abort, error.message);
    }
  }

  private _broke(abort: AbortController, problem: string): void {
    if (this._abort !== abort) {
      return;
    }
    this._abort = null;
    this._retry = setTimeout(() => this.resume(), this._backoff.next());
    this._enter('waiting', problem);
  }

  private _expectSomething(abort: AbortController): void {
    if (this._abort !== abort) {
      return;
    }
    clearTimeout(this._silence);
    this._silence = setTimeout(() => {
      this._broke(abort, '');
      abort.abort();
    }, SILENCE);
  }

  private _enter(state: LogState, problem: string): void {
    if (this._disposed) {
      return;
    }
    if (state !== 'connecting' && state !== 'following') {
      clearTimeout(this._silence);
    }
    this._state = state;
    this._problem = problem;
    this._changed.emit();
  }

  private readonly _backoff = new Backoff();
  private readonly _changed = new Signal<this, void>(this);
  private readonly _received = new Signal<this, LogItem[]>(this);
  private _state: LogState = 'paused';
  private _problem = '';
  private _end: ILogEnd | null = null;
  private _lastEventId: string | null = null;
  private _abort: AbortController | null = null;
  private _retry: ReturnType<typeof setTimeout> | undefined;
  private _silence: ReturnType<typeof setTimeout> | undefined;
  private _disposed = false;
}

/** Resolves when the page has had a chance to draw and to take input. */
function nextTask(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, 0));
}
