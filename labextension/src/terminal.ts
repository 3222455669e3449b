/** The terminal of a weaver: a plain widget that fits into a main area, a split pane and the output of a cell. */

import { nullTranslator, type ITranslator, type TranslationBundle } from '@jupyterlab/translation';
import type { Message } from '@lumino/messaging';
import { Signal, type ISignal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';

import type { WeaverApi } from './api';
import { Attachment } from './attachment';
import { element } from './controls';
import { Deadline } from './deadline';
import { pasteable } from './paste';
import { ScreenLink } from './screenlink';
import { TerminalBar } from './terminalbar';
import { lastWords } from './terminaltexts';
import { bindKeys, onPaste } from './terminalkeys';
import { TerminalNotices } from './terminalnotices';
import { terminalServer } from './terminalserver';
import { TERMINAL_SETTINGS, lookOf, watchTheme, type ITerminalSettings } from './terminaltheme';
import { find, textOf } from './terminalsearch';
import type { IScreen } from './xterm';

export interface ITerminalViewOptions {
  api: WeaverApi;
  /** The weaver's id. */
  id: string;
  settings?: Partial<ITerminalSettings>;
  /** Shows the weaver's log; where it is absent, no way there is offered. */
  openLogs?: (() => void) | undefined;
  translator?: ITranslator | undefined;
}

/** While a divider is dragged, the program should hear of a handful of sizes, not of hundreds. */
const SETTLED = 150;

export class TerminalView extends Widget {
  constructor(private readonly options: ITerminalViewOptions) {
    super();
    this.weaverId = options.id;
    this._trans = (options.translator ?? nullTranslator).load('loom_weaver');
    this._settings = { ...TERMINAL_SETTINGS, ...options.settings };
    this.link = new Attachment(terminalServer(options.api), options.id);
    this.deadline = new Deadline(options.api, options.id, this._trans);
    this._bar = new TerminalBar(
      {
        connect: () => this.link.connect(),
        extend: () => void this._extend(),
        openLogs: options.openLogs ?? null,
        search: (text, step) => this._search(text, step),
        endSearch: () => this._endSearch()
      },
      this._trans
    );
    this._host = element('div', 'lw-Terminal-host');
    this._build();
    this.link.changed.connect(() => this._showLink());
    this.link.warned.connect((_, warning) => this.deadline.set(warning.expires_at));
    this.deadline.changed.connect(() => this._showTime());
    this._showLink();
  }

  readonly weaverId: string;
  readonly link: Attachment;
  readonly deadline: Deadline;

  /** The link's state, who watches, or the time left have changed. */
  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get settings(): Readonly<ITerminalSettings> {
    return this._settings;
  }

  set settings(settings: Readonly<ITerminalSettings>) {
    this._settings = settings;
    this._dress();
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._size.disconnect();
    this._theme?.disconnect();
    clearTimeout(this._settling);
    this._notices.dispose();
    clearInterval(this._counting);
    this.link.dispose();
    this.deadline.dispose();
    this._drawing?.dispose();
    this._screen?.terminal.dispose();
    super.dispose();
    Signal.clearData(this);
  }

  /** What stands in the terminal, scrollback and screen. */
  text(): string {
    return this._screen === null ? '' : textOf(this._screen.terminal);
  }

  /** Paste as if it came from the clipboard: a program that knows bracketed paste is told. */
  paste(text: string): void {
    if (this._mayType()) {
      this._screen?.terminal.paste(pasteable(text));
    } else {
      this._refuse();
    }
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this._size.observe(this._host);
    this._theme = watchTheme(() => this._dress());
    window.addEventListener('online', this._onOnline);
  }

  protected override onBeforeDetach(message: Message): void {
    this._size.disconnect();
    this._theme?.disconnect();
    window.removeEventListener('online', this._onOnline);
    super.onBeforeDetach(message);
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this._focusWhenOpen = true;
    this._screen?.terminal.focus();
  }

  private _build(): void {
    this.addClass('lw-Terminal');
    // Every key belongs to the program, those of JupyterLab's commands too.
    this._host.dataset['lmSuppressShortcuts'] = 'true';
    onPaste(this._host, text => this.paste(text));
    const body = element('div', 'lw-Terminal-body');
    body.append(this._host, this._notices.refused);
    this.node.append(this._bar.node, body, this._notices.notice);
  }

  /** Opened when first seen: what has no size cannot be measured, and a tab never looked at costs nothing. */
  private async _open(): Promise<void> {
    if (this._opening || this.isDisposed) {
      return;
    }
    this._opening = true;
    try {
      const { makeScreen } = await import('./xterm');
      if (!this.isDisposed) {
        this._show(makeScreen(lookOf(this._host, this._settings)));
      }
    } catch (error) {
      this._opening = false;
      this._say(this._trans.__('The terminal could not be loaded: %1', (error as Error).message));
    }
  }

  private _show(screen: IScreen): void {
    const { terminal } = screen;
    this._screen = screen;
    screen.open(this._host);
    const label = this._trans.__('Terminal of %1. Shift+Escape leaves it.', this.weaverId);
    terminal.textarea?.setAttribute('aria-label', label);
    bindKeys(terminal, {
      leave: () => this._bar.focus(),
      search: () => this._bar.openSearch(true),
      pasteWithCtrlV: () => this._settings.pasteWithCtrlV
    });
    terminal.onKey(() => this._mayType() || this._refuse());
    screen.search.onDidChangeResults(found => {
      this._bar.showFound(found.resultIndex, found.resultCount);
    });
    terminal.options.disableStdin = true;
    this._drawing = new ScreenLink(terminal, this.link, this._trans);
    this._fit();
    this.link.connect();
    if (this._focusWhenOpen) {
      terminal.focus();
    }
  }

  private _dress(): void {
    if (this._screen !== null) {
      this._screen.dress(lookOf(this._host, this._settings));
      this._fit();
    }
  }

  /** Nothing is measured while nothing is seen. */
  private _fit(): void {
    if (this._screen === null || this._host.clientHeight === 0 || this._host.clientWidth === 0) {
      return;
    }
    const fit = this._screen.fit.proposeDimensions();
    const given = this.link.access === 'read_only' ? this.link.size : null;
    const size = given ?? fit;
    if (size === undefined || !(size.cols > 1 && size.rows > 0)) {
      return;
    }
    this._screen.terminal.resize(size.cols, size.rows);
    if (given === null) {
      this.link.resize(Math.min(1000, size.cols), Math.min(1000, size.rows));
    }
  }

  private _onSize(): void {
    if (this._host.clientHeight === 0 || this._host.clientWidth === 0) {
      return;
    }
    if (this._screen === null) {
      void this._open();
      return;
    }
    clearTimeout(this._settling);
    this._settling = setTimeout(() => this._fit(), SETTLED);
  }

  private _mayType(): boolean {
    return this.link.state === 'connected' && this.link.access === 'full';
  }

  private _refuse(): void {
    const readOnly = this.link.state === 'connected';
    this._notices.refuse(
      readOnly
        ? this._trans.__('Read-only: what you type is not sent')
        : this._trans.__('Not connected: what you type is not sent')
    );
  }

  private async _extend(): Promise<void> {
    try {
      await this.deadline.extend();
    } catch (error) {
      this._say(this._trans.__('Not extended: %1', (error as Error).message));
    }
  }

  private _search(text: string, step: 1 | -1): void {
    if (this._screen !== null) {
      find(this._screen.search, text, step);
    }
  }

  private _endSearch(): void {
    this._screen?.search.clearDecorations();
    this._bar.showFound(0, null);
    this._screen?.terminal.focus();
  }

  private _showLink(): void {
    const { link } = this;
    this._bar.showLink(link, Date.now());
    this.node.dataset['state'] = link.state;
    this.node.dataset['access'] = link.access ?? '';
    if (this._screen !== null) {
      this._screen.terminal.options.disableStdin = !this._mayType();
    }
    clearInterval(this._counting);
    if (link.state === 'waiting') {
      this._counting = setInterval(() => this._bar.showLink(link, Date.now()), 1_000);
    } else if (link.state === 'over') {
      this.deadline.dispose();
      this._bar.showTime(null, false);
    } else if (link.access === 'read_only') {
      this._fit();
    }
    this._say(lastWords(link, this._trans));
    this._stateChanged.emit();
  }

  private _showTime(): void {
    const { left } = this.deadline;
    this._bar.showTime(left, this.link.access === 'full');
    this._stateChanged.emit();
  }

  private _say(text: string): void {
    const press = this.link.state === 'over' ? this.options.openLogs : undefined;
    const label = this._trans.__('Open the log');
    this._notices.say(text, press === undefined ? undefined : { label, press });
  }

  private readonly _onOnline = (): void => this.link.connect();
  private readonly _trans: TranslationBundle;
  private readonly _bar: TerminalBar;
  private readonly _host: HTMLElement;
  private readonly _notices = new TerminalNotices();
  private readonly _stateChanged = new Signal<this, void>(this);
  private readonly _size = new ResizeObserver(() => this._onSize());
  private _settings: Readonly<ITerminalSettings>;
  private _theme: MutationObserver | null = null;
  private _screen: IScreen | null = null;
  private _drawing: ScreenLink | null = null;
  private _opening = false;
  private _focusWhenOpen = false;
  private _settling: ReturnType<typeof setTimeout> | undefined;
  private _counting: ReturnType<typeof setInterval> | undefined;
}
