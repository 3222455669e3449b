/**
 * Keeps a store true. Of all tabs of a browser one, the leader, reads the event stream and tells the others by a
 * BroadcastChannel: HTTP/1.1 gives a host six connections for all tabs together. Where the page cannot agree on a
 * leader (locks need a secure context), each tab reads for itself.
 */
import type { IDisposable } from '@lumino/disposable';

import { ApiError, EXTENSION_OLDER, type WeaverApi } from './api';
import type { WeaverChange } from './models';
import type { LinkState, WeaverStore } from './weaverstore';

// The server says something every 15 s; a link that is silent for longer than this is dead.
const SILENCE = 35_000;
const FIRST_DELAY = 300;
const LONGEST_DELAY = 10_000;
// What waiting does not mend is tried again when somebody asks for it, and seldom by itself.
const FINAL: ReadonlySet<LinkState> = new Set(['missing', 'outdated', 'refused']);
const SELDOM = 60_000;
const STATES: Partial<Record<string, WeaverChange['kind']>> = {
  added: 'added',
  modified: 'modified',
  deleted: 'deleted',
  ready: 'ready',
  reset: 'reset'
};

type Message =
  | { type: 'hello' }
  | { type: 'begin' }
  | { type: 'change'; change: WeaverChange }
  | { type: 'link'; link: LinkState; problem: string };

export class EventLink implements IDisposable {
  private readonly _end = new AbortController();
  private readonly _channel: BroadcastChannel;
  private readonly _strangers = new Set<string>();
  private _isLeader = false;
  private _retry: (() => void) | null = null;

  constructor(
    private readonly _api: WeaverApi,
    private readonly _store: WeaverStore
  ) {
    const name = `loom-weaver:${_api.settings.baseUrl}`;
    this._channel = new BroadcastChannel(name);
    this._channel.onmessage = event => this._hear(event.data as Message);
    this._channel.postMessage({ type: 'hello' } satisfies Message);
    window.addEventListener('online', this.retry);
    void this._lead(name);
  }

  get isDisposed(): boolean {
    return this._end.signal.aborted;
  }

  dispose(): void {
    if (!this.isDisposed) {
      this._end.abort();
      this._channel.close();
      window.removeEventListener('online', this.retry);
      this._retry?.();
    }
  }

  /** Try again now, wherever the link stands. */
  readonly retry = (): void => {
    if (this._isLeader) {
      this._retry?.();
    } else if (!this.isDisposed) {
      this._channel.postMessage({ type: 'hello' } satisfies Message);
    }
  };

  private async _lead(name: string): Promise<void> {
    try {
      if (!navigator.locks) {
        return await this._follow();
      }
      await navigator.locks.request(name, { signal: this._end.signal }, () => this._follow());
    } catch (error) {
      if (!this.isDisposed) {
        throw error;
      }
    }
  }

  /** The leader's work, for as long as the page is there. */
  private async _follow(): Promise<void> {
    this._isLeader = true;
    let delay = FIRST_DELAY;
    let lastEventId = '';
    while (!this.isDisposed) {
      try {
        await this._learnMe();
        for await (const event of this._events(lastEventId)) {
          const kind = STATES[event.event];
          if (kind) {
            this._tell({ type: 'change', change: changeOf(kind, event.data) });
          }
          lastEventId = event.id;
          delay = FIRST_DELAY;
        }
        this._setLink('lost', '');
      } catch (error) {
        this._setLink(...stateOf(error, this._store.link));
      }
      await this._pause(delay * (0.75 + Math.random() / 2));
      delay = Math.min(LONGEST_DELAY, delay * 2);
    }
  }

  /** The stream, ended when it is silent for too long. */
  private async *_events(lastEventId: string): ReturnType<WeaverApi['events']> {
    const silence = new AbortController();
    const signal = AbortSignal.any([silence.signal, this._end.signal]);
    let timer = window.setTimeout(() => silence.abort(), SILENCE);
    const alive = (): void => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => silence.abort(), SILENCE);
    };
    const opened = (): void => {
      if (!lastEventId) {
        this._tell({ type: 'begin' });
      } else {
        this._setLink('live', '');
      }
    };
    try {
      yield* this._api.events({ lastEventId, signal, opened, alive });
    } finally {
      window.clearTimeout(timer);
    }
  }

  private async _learnMe(): Promise<void> {
    this._store.setMe(await this._api.me());
    this._strangers.clear();
    if (this._store.seesAll) {
      this._store.setUserNames(await this._api.users());
    }
  }

  /** Users may come after us; one whose name cannot be had is asked for once. */
  private _learnName(userId: string): void {
    if (this._store.seesAll && !this._store.knowsName(userId) && !this._strangers.has(userId)) {
      this._strangers.add(userId);
      // Without it, the panel shows the id.
      this._api
        .users()
        .then(users => this._store.setUserNames(users))
        .catch(() => undefined);
    }
  }

  private async _pause(milliseconds: number): Promise<void> {
    const final = FINAL.has(this._store.link);
    await new Promise<void>(resolve => {
      this._retry = resolve;
      window.setTimeout(resolve, final ? SELDOM : milliseconds);
    });
    this._retry = null;
  }

  private _setLink(link: LinkState, problem: string): void {
    if (!this.isDisposed) {
      this._tell({ type: 'link', link, problem });
    }
  }

  private _tell(message: Message): void {
    this._take(message);
    this._channel.postMessage(message);
  }

  private _take(message: Message): void {
    if (message.type === 'begin') {
      this._store.beginList();
    } else if (message.type === 'change') {
      this._store.apply(message.change);
      if (message.change.kind === 'added') {
        this._learnName(message.change.weaver.owner_user_id);
      }
    } else if (message.type === 'link') {
      this._store.setLink(message.link, message.problem);
    }
  }

  private _hear(message: Message): void {
    if (message.type === 'hello') {
      this._greet();
    } else if (!this._isLeader) {
      this._take(message);
      if (!this._store.me && message.type === 'change' && message.change.kind === 'ready') {
        this._learnMe().catch(() => this._store.setLink('lost'));
      }
    }
  }

  /** A tab that has just come, or lost its way, is told all. */
  private _greet(): void {
    if (!this._isLeader) {
      return;
    }
    const { link, problem, weavers } = this._store;
    const say = (message: Message): void => this._channel.postMessage(message);
    say({ type: 'begin' });
    for (const weaver of weavers.values()) {
      say({ type: 'change', change: { kind: 'added', weaver } });
    }
    say(
      link === 'live'
        ? { type: 'change', change: { kind: 'ready' } }
        : { type: 'link', link, problem }
    );
    this._retry?.();
  }
}

function changeOf(kind: WeaverChange['kind'], data: string): WeaverChange {
  return (
    kind === 'ready' || kind === 'reset' ? { kind } : { kind, weaver: JSON.parse(data) }
  ) as WeaverChange;
}

function stateOf(error: unknown, before: LinkState): [LinkState, string] {
  if (!(error instanceof ApiError)) {
    return ['lost', ''];
  }
  if (error.isExtensionMissing) {
    return ['missing', ''];
  }
  // Who one is, and the list: an extension that is as new as this page has both.
  if (error.status === 404 || error.status === 405 || error.code === EXTENSION_OLDER) {
    return ['outdated', ''];
  }
  if (error.isFinal) {
    return ['refused', error.message];
  }
  return [FINAL.has(before) && before !== 'refused' ? before : 'lost', error.message];
}
