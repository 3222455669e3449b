/** The part of a log that is on screen: only the rows that are seen are in the page. */

import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import { rows as cut, runs } from './ansi';
import { element } from './controls';
import type { LogLines } from './loglines';
import { rowNode, type IRowTexts } from './logrow';

/** Browsers draw no element that is much higher, in px; beyond it a row takes less than its height to scroll by. */
const HIGHEST = 16_000_000;
/** Rows beside the seen ones, so that a short scroll shows no gap. */
const BESIDE = 4;

export interface IRowMarks {
  found(line: number): boolean;
  current: number;
}

export interface ILogViewportOptions extends IRowTexts {
  lines: LogLines;
  marks: IRowMarks;
  label: string;
}

export class LogViewport implements IDisposable {
  constructor(private readonly options: ILogViewportOptions) {
    this.node = element('div', 'lw-LogView-viewport');
    this.node.tabIndex = 0;
    this.node.setAttribute('role', 'log');
    this.node.setAttribute('aria-live', 'off');
    this.node.setAttribute('aria-label', options.label);
    this._spacer = element('div', 'lw-LogView-spacer');
    this._rows = element('div', 'lw-LogView-rows');
    this._probe = element('div', 'lw-LogView-row lw-mod-probe');
    this._probe.textContent = 'M'.repeat(64);
    this._probe.ariaHidden = 'true';
    this.node.append(this._spacer, this._rows, this._probe);
    this.node.addEventListener('scroll', this._onScroll);
    this._observer = new ResizeObserver(() => this.refresh());
    this._observer.observe(this.node);
  }

  readonly node: HTMLElement;

  /** Whether the end stays in sight as lines come. */
  get following(): boolean {
    return this._following;
  }

  get followingChanged(): ISignal<this, boolean> {
    return this._followingChanged;
  }

  get timestamps(): boolean {
    return this._timestamps;
  }

  set timestamps(shown: boolean) {
    this._timestamps = shown;
    this.refresh();
  }

  get wrap(): boolean {
    return this._wrap;
  }

  set wrap(wrap: boolean) {
    this._keepPlace(() => {
      this._wrap = wrap;
    });
  }

  /** The line at the top. */
  get topLine(): number {
    return this.options.lines.lineAt(Math.floor(this._top)).line;
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  dispose(): void {
    this._disposed = true;
    this._observer.disconnect();
    cancelAnimationFrame(this._frame);
    this.node.removeEventListener('scroll', this._onScroll);
    Signal.clearData(this);
  }

  /** Everything may look different now. */
  refresh(): void {
    this._drawn.clear();
    this._rows.replaceChildren();
    this.update();
  }

  /** Lines came or went: draw at the next frame. */
  update(): void {
    if (this._frame === 0 && !this._disposed) {
      this._frame = requestAnimationFrame(() => {
        this._frame = 0;
        this._draw();
      });
    }
  }

  follow(following: boolean): void {
    if (following !== this._following) {
      this._following = following;
      this._followingChanged.emit(following);
    }
    this.update();
  }

  /** Bring a line to the middle. */
  show(line: number): void {
    this.follow(false);
    this._measure();
    this._scrollTo(this.options.lines.rowOf(line) - Math.floor(this._seen / 2));
    this.update();
  }

  private _keepPlace(change: () => void): void {
    const line = this.topLine;
    change();
    this._measure();
    this._scrollTo(this.options.lines.rowOf(line));
    this.refresh();
  }

  /** Heights and widths in rows and columns. Nothing is measured while nothing is seen. */
  private _measure(): boolean {
    const box = this._probe.getBoundingClientRect();
    const height = this.node.clientHeight;
    if (box.height === 0 || height === 0) {
      this._hidden = true;
      return false;
    }
    this._rowHeight = box.height;
    this._seen = height / box.height;
    const character = box.width / 64;
    const room = this.node.clientWidth - (this._timestamps ? this._timeWidth(character) : 0);
    const width = Math.max(20, Math.floor((room - 2 * PADDING) / character));
    this.options.lines.layOut(this._wrap ? width : Number.POSITIVE_INFINITY);
    this._width = width;
    const { rows, widest } = this.options.lines;
    const beyond = Math.max(0, rows - this._seen);
    this._perRow = beyond === 0 ? box.height : Math.min(box.height, HIGHEST / beyond);
    this._spacer.style.height = `${beyond * this._perRow + height}px`;
    const wide = this._wrap ? 0 : widest * character + this.node.clientWidth - room + 2 * PADDING;
    this._spacer.style.width = `${Math.ceil(wide)}px`;
    return true;
  }

  private _timeWidth(character: number): number {
    return this.options.timeText(0).length * character + 2 * PADDING;
  }

  private _draw(): void {
    if (!this._measure()) {
      return;
    }
    const end = Math.max(0, this.options.lines.rows - this._seen);
    if (this._following) {
      this._scrollTo(end);
    } else if (this._hidden) {
      this._scrollTo(this._top);
    }
    this._hidden = false;
    this._top = Math.min(end, this.node.scrollTop / this._perRow);
    const first = Math.max(0, Math.floor(this._top) - BESIDE);
    const last = Math.min(this.options.lines.rows, Math.ceil(this._top + this._seen) + BESIDE);
    this._place(first, last);
    const shift = this.node.scrollTop - (this._top - first) * this._rowHeight;
    this._rows.style.transform = `translateY(${shift}px)`;
  }

  /** Rows that were there stay the same elements, so that a selection in them stays. */
  private _place(first: number, last: number): void {
    const wanted: HTMLElement[] = [];
    const kept = new Map<string, HTMLElement>();
    let { line, part } = this.options.lines.lineAt(first);
    for (let row = first; row < last; line += 1, part = 0) {
      const keys = this._rowsOf(line);
      for (const { key, node } of keys.slice(part, part + last - row)) {
        kept.set(key, node);
        wanted.push(node);
        row += 1;
      }
    }
    this._drawn = kept;
    const present = new Set<Element>(wanted);
    for (const child of [...this._rows.children]) {
      if (!present.has(child)) {
        child.remove();
      }
    }
    for (const [index, node] of wanted.entries()) {
      if (this._rows.children[index] !== node) {
        this._rows.insertBefore(node, this._rows.children[index] ?? null);
      }
    }
  }

  private _rowsOf(number: number): Array<{ key: string; node: HTMLElement }> {
    const line = this.options.lines.get(number);
    const absolute = number + this.options.lines.dropped;
    const pieces =
      line.kind === 'gap' || !this._wrap ? [runs(line.text)] : cut(runs(line.text), this._width);
    return pieces.map((piece, part) => {
      const key = `${absolute}:${part}`;
      const node =
        this._drawn.get(key) ??
        rowNode(line, piece, { part, timestamps: this._timestamps }, this.options);
      node.classList.toggle('lw-mod-found', this.options.marks.found(number));
      node.classList.toggle('lw-mod-current', this.options.marks.current === number);
      return { key, node };
    });
  }

  private _scrollTo(row: number): void {
    const place = Math.max(0, row) * this._perRow;
    if (Math.abs(this.node.scrollTop - place) >= 1) {
      this.node.scrollTop = place;
      this._ownScroll = this.node.scrollTop;
    }
  }

  private readonly _onScroll = (): void => {
    const own = Math.abs(this.node.scrollTop - this._ownScroll) < 1;
    if (!own) {
      const end = this.node.scrollHeight - this.node.clientHeight;
      this.follow(this.node.scrollTop >= end - this._rowHeight);
    }
    this._ownScroll = -1;
    this.update();
  };

  private readonly _spacer: HTMLElement;
  private readonly _rows: HTMLElement;
  private readonly _probe: HTMLElement;
  private readonly _observer: ResizeObserver;
  private readonly _followingChanged = new Signal<this, boolean>(this);
  private _drawn = new Map<string, HTMLElement>();
  private _following = true;
  private _timestamps = false;
  private _wrap = false;
  private _frame = 0;
  private _rowHeight = 16;
  private _perRow = 16;
  private _seen = 1;
  private _width = 80;
  private _top = 0;
  /** A browser may forget how far an element is scrolled that is not shown. */
  private _hidden = false;
  private _ownScroll = -1;
  private _disposed = false;
}

/** The room beside a row's text in px, as the style sheet has it. */
const PADDING = 8;
