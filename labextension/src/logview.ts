/** The log of a weaver: a plain widget that fits into a main area, a split pane and the output of a cell. */

import { nullTranslator } from '@jupyterlab/translation';
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import { copyText } from './clipboard';
import { element } from './controls';
import { gapText } from './gaptext';
import { LogBar } from './logbar';
import { LogLines, MAX_LINES } from './loglines';
import { LogPlace } from './logplaces';
import { LogSearch } from './logsearch';
import { LogStream } from './logstream';
import type { LogServer, LogItem } from './logstream';
import { downloadText, lineTexts, logNotice, timeText } from './logtexts';
import { LogViewport } from './logviewport';

/** Enough to begin with; earlier lines come when asked for. */
export const FIRST_TAIL = 10_000;

export interface ILogViewOptions {
  api: LogServer;
  /** The weaver's id. */
  id: string;
  tail?: number;
  timestamps?: boolean;
  wrap?: boolean;
  translator?: ITranslator | undefined;
}

export class LogView extends Widget {
  constructor(private readonly options: ILogViewOptions) {
    super();
    this.weaverId = options.id;
    this._trans = (options.translator ?? nullTranslator).load('loom_weaver');
    this.addClass('lw-LogView');
    this._viewport = new LogViewport({
      lines: this.lines,
      marks: this._find,
      gapText: bytes => gapText(bytes, this._trans),
      timeText,
      label: this._trans.__('Log of %1', options.id)
    });
    this._bar = new LogBar(this._actions(), this._trans, options);
    this._viewport.timestamps = options.timestamps ?? false;
    this._viewport.wrap = options.wrap ?? false;
    this._notice = element('div', 'lw-Notice');
    this._notice.setAttribute('role', 'status');
    this.node.append(this._bar.node, this._viewport.node, this._notice);
    this._viewport.followingChanged.connect((_, on) => this._bar.showFollowing(on));
    this._stream = this._newStream(options.tail ?? FIRST_TAIL);
    this._seen = new IntersectionObserver(entries => this._onSeen(entries.at(-1)!.isIntersecting));
  }

  readonly weaverId: string;
  readonly lines = new LogLines();

  /** State, number of lines or switches have changed. */
  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get stream(): LogStream {
    return this._stream;
  }

  get following(): boolean {
    return this._viewport.following;
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._seen.disconnect();
    this._place.dispose();
    this._stream.dispose();
    this._viewport.dispose();
    clearTimeout(this._searching);
    super.dispose();
    Signal.clearData(this);
  }

  /** Go to the end, and stay there as lines come. */
  jumpToEnd(): void {
    this._viewport.follow(true);
  }

  /** All kept lines as text. */
  text(): string {
    return this._texts().join('');
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this._seen.observe(this.node);
    this.node.addEventListener('keydown', this._onKeyDown);
    this.node.addEventListener('copy', this._onCopy);
    this.node.addEventListener('pointerdown', this._onTouch);
    this.node.addEventListener('focusin', this._onTouch);
    this._viewport.update();
  }

  protected override onBeforeDetach(message: Message): void {
    this._seen.disconnect();
    this._onSeen(false);
    this.node.removeEventListener('keydown', this._onKeyDown);
    this.node.removeEventListener('copy', this._onCopy);
    this.node.removeEventListener('pointerdown', this._onTouch);
    this.node.removeEventListener('focusin', this._onTouch);
    super.onBeforeDetach(message);
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this._viewport.node.focus();
  }

  private _actions(): ConstructorParameters<typeof LogBar>[0] {
    return {
      follow: on => this._viewport.follow(on),
      timestamps: on => (this._viewport.timestamps = on),
      wrap: on => (this._viewport.wrap = on),
      search: text => this._search(text),
      go: step => this._go(step),
      copy: () => void this._copy(),
      download: () => this._download(),
      earlier: () => this._loadAll()
    };
  }

  private _newStream(tail: number): LogStream {
    const stream = new LogStream(this.options.api, this.weaverId, tail);
    stream.received.connect((_, items) => this._take(items));
    stream.changed.connect(() => this._showState());
    return stream;
  }

  private _take(items: LogItem[]): void {
    this.lines.append(items);
    this._viewport.update();
    this._searchOn();
    this._showState();
  }

  /** From the oldest line that is kept, as many as fit. */
  private _loadAll(): void {
    this._stream.dispose();
    this.lines.clear();
    this._find.restart();
    this._viewport.refresh();
    this._stream = this._newStream(MAX_LINES);
    this._place.release();
    this._onTouch();
  }

  /** A stream holds one of the few connections of a browser: only what is seen has one. */
  private _onSeen(seen: boolean): void {
    this._isSeen = seen;
    if (seen) {
      this._onTouch();
      this._viewport.update();
    } else {
      this._place.release();
      this._stream.pause();
    }
  }

  private _showState(): void {
    const { stream, lines } = this;
    this._bar.showState(stream, lines);
    if (stream.state === 'ended' || stream.state === 'failed') {
      this._place.release();
    }
    const notice = logNotice(stream, this._isSeen, this._trans);
    if (this._notice.textContent !== notice) {
      this._notice.textContent = notice;
    }
    this._notice.hidden = notice === '';
    this._stateChanged.emit();
  }

  private _search(text: string): void {
    this._find.start(text);
    this._firstHit = text !== '';
    this._searchOn();
    this._viewport.update();
    this._showSearch();
  }

  /** A slice at a time, so that a million lines can be looked through while the page stays quick. */
  private _searchOn(): void {
    clearTimeout(this._searching);
    if (this._find.text === '') {
      return;
    }
    const done = this._find.advance();
    if (this._firstHit && this._find.count > 0) {
      this._firstHit = false;
      this._go(1);
    }
    this._showSearch();
    if (!done) {
      this._searching = setTimeout(() => this._searchOn(), 0);
    }
  }

  private _go(step: 1 | -1): void {
    const line = this._find.go(step, this._viewport.topLine - 1);
    if (line >= 0) {
      this._viewport.show(line);
    }
    this._showSearch();
  }

  private _showSearch(): void {
    this._bar.showSearch(this._find.text === '' ? null : this._find);
  }

  private async _copy(): Promise<void> {
    const selected = this._selection();
    const done = await copyText(selected === '' ? this.text() : selected);
    this._bar.say(
      done ? this._trans.__('Copied') : this._trans.__('The browser does not let us copy')
    );
  }

  private _selection(): string {
    const selection = document.getSelection();
    const inside = selection !== null && this._viewport.node.contains(selection.anchorNode);
    return inside ? selection.toString() : '';
  }

  private _download(): void {
    downloadText(`${this.weaverId}.log`, this._texts());
  }

  /** Of each kept line. */
  private _texts(): string[] {
    return lineTexts(this.lines, this._viewport.timestamps, this._trans);
  }

  /** The log that people look at or touch goes on before others. */
  private readonly _onTouch = (): void => {
    if (this._isSeen && this._stream.state !== 'ended') {
      void this._place.take();
    }
  };

  private readonly _onKeyDown = (event: KeyboardEvent): void => {
    const command = event.ctrlKey || event.metaKey;
    const inViewport = event.target === this._viewport.node;
    if (command && event.key === 'f') {
      this._bar.focusSearch();
    } else if (command && event.key === 'a' && inViewport) {
      this._all = true;
      this._bar.say(this._trans.__('All lines are selected'));
    } else if (event.key === 'End' && inViewport) {
      this.jumpToEnd();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  /** Only the seen rows are in the page, so "all" is ours to copy. */
  private readonly _onCopy = (event: ClipboardEvent): void => {
    const all = this._all && this._selection() === '';
    this._all = false;
    if (all && event.clipboardData !== null) {
      event.clipboardData.setData('text/plain', this.text());
      event.preventDefault();
    }
  };

  private readonly _place = new LogPlace(
    () => this._stream.resume(),
    () => this._stream.pause()
  );
  private readonly _find = new LogSearch(this.lines);
  private readonly _stateChanged = new Signal<this, void>(this);
  private readonly _trans: TranslationBundle;
  private readonly _viewport: LogViewport;
  private readonly _bar: LogBar;
  private readonly _notice: HTMLElement;
  private readonly _seen: IntersectionObserver;
  private _stream: LogStream;
  private _searching: ReturnType<typeof setTimeout> | undefined;
  private _firstHit = false;
  private _isSeen = false;
  private _all = false;
}
