/** What the page knows of weavers, kept true by the event stream. */
import { type ISignal, Signal } from '@lumino/signaling';

import type { IMe, IWeaver, WeaverChange } from './models';

/**
 * `connecting` until the first list is complete; `lost`: shown as it was when the link broke; `missing`: a Jupyter
 * server without our extension; `outdated`: with one that is older than this page; `refused`: signed out, or not
 * allowed.
 */
export type LinkState = 'connecting' | 'live' | 'lost' | 'missing' | 'outdated' | 'refused';

export interface IEnding {
  before: IWeaver | undefined;
  after: IWeaver;
  deleted: boolean;
}

export class WeaverStore {
  private readonly _weavers = new Map<string, IWeaver>();
  private readonly _changed = new Signal<this, void>(this);
  private readonly _moved = new Signal<this, IEnding>(this);
  private _listed: Set<string> | null = null;
  private _link: LinkState = 'connecting';
  private _problem = '';
  private _me: IMe | null = null;
  private _userNames = new Map<string, string>();
  private _version = 0;

  /** Anything that is shown has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** One weaver has gone from one state to another, while we looked. */
  get moved(): ISignal<this, IEnding> {
    return this._moved;
  }

  get weavers(): ReadonlyMap<string, IWeaver> {
    return this._weavers;
  }

  get me(): IMe | null {
    return this._me;
  }

  get link(): LinkState {
    return this._link;
  }

  /** Why the link is `refused` or `lost`, in the server's words. */
  get problem(): string {
    return this._problem;
  }

  /** Grows with every change. */
  get version(): number {
    return this._version;
  }

  get seesAll(): boolean {
    return this._me?.roles.some(role => role === 'system_admin' || role === 'support') ?? false;
  }

  /** May extend and delete it, and type in its terminal. */
  mayChange(weaver: IWeaver): boolean {
    return this.isMine(weaver) || (this._me?.roles.includes('system_admin') ?? false);
  }

  isMine(weaver: IWeaver): boolean {
    return weaver.owner_user_id === this._me?.user.id;
  }

  ownerName(userId: string): string {
    return this._userNames.get(userId) ?? userId;
  }

  knowsName(userId: string): boolean {
    return this._userNames.has(userId);
  }

  setMe(me: IMe): void {
    this._me = me;
    this._userNames.set(me.user.id, me.user.name);
    this._emit();
  }

  setUserNames(users: Iterable<{ id: string; name: string }>): void {
    for (const user of users) {
      this._userNames.set(user.id, user.name);
    }
    this._emit();
  }

  setLink(link: LinkState, problem = ''): void {
    if (link !== this._link || problem !== this._problem) {
      this._link = link;
      this._problem = problem;
      this._emit();
    }
  }

  /** A stream begins anew with the list: what it does not name until `ready` is gone. */
  beginList(): void {
    this._listed = new Set();
  }

  apply(change: WeaverChange): void {
    switch (change.kind) {
      case 'reset':
        this.beginList();
        return;
      case 'ready':
        this._endList();
        return;
      case 'deleted':
        this._remove(change.weaver);
        return;
      default:
        this._put(change.weaver);
    }
  }

  /** What an answer of the API tells, which may be overtaken by events: a timeline only grows. */
  put(weaver: IWeaver): void {
    const known = this._weavers.get(weaver.id);
    if (!known || known.timeline.length <= weaver.timeline.length) {
      this._put(weaver);
    }
  }

  private _put(weaver: IWeaver): void {
    this._listed?.add(weaver.id);
    const before = this._weavers.get(weaver.id);
    this._weavers.set(weaver.id, weaver);
    if (before?.status !== weaver.status && this._link === 'live' && !this._listed) {
      this._moved.emit({ before, after: weaver, deleted: false });
    }
    this._emit();
  }

  private _remove(weaver: IWeaver): void {
    const before = this._weavers.get(weaver.id);
    if (this._weavers.delete(weaver.id)) {
      this._moved.emit({ before, after: weaver, deleted: true });
      this._emit();
    }
  }

  private _endList(): void {
    for (const id of this._weavers.keys()) {
      if (this._listed && !this._listed.has(id)) {
        this._weavers.delete(id);
      }
    }
    this._listed = null;
    this._link = 'live';
    this._problem = '';
    this._emit();
  }

  private _emit(): void {
    this._version += 1;
    this._changed.emit();
  }
}
