/** Where a text stands in a log. No DOM. Looks through a million lines in slices, and then at what comes. */

import { BLOCK_LINES } from './loglines';
import type { LogLines } from './loglines';

/** Search at most so long, in ms, before the page may react to its user. */
const SLICE = 10;

export class LogSearch {
  constructor(private readonly lines: LogLines) {}

  get text(): string {
    return this._text;
  }

  /** How many lines hold the text, as far as they have been looked through. */
  get count(): number {
    return this._hits.length - this._gone;
  }

  /** Number of the current one among them, from 1; 0 for none. */
  get position(): number {
    const index = this._hits.indexOf(this._current);
    return index < this._gone ? 0 : index - this._gone + 1;
  }

  /** The line that was gone to last; -1 for none. */
  get current(): number {
    const line = this._current - this.lines.dropped;
    return line >= 0 ? line : -1;
  }

  /** Begin to look for another text; capitals count where it has some. */
  start(text: string): void {
    this._text = text;
    this._exact = text !== text.toLowerCase();
    this.restart();
  }

  /** The lines are others. */
  restart(): void {
    this._hits = [];
    this._gone = 0;
    this._current = -1;
    this._next = this.lines.dropped;
  }

  /** Look further, for a while. True when all lines have been looked through. */
  advance(now: () => number = () => performance.now()): boolean {
    if (this._text === '') {
      return true;
    }
    const until = now() + SLICE;
    const { dropped } = this.lines;
    this._next = Math.max(this._next, dropped);
    while (this._gone < this._hits.length && this._hits[this._gone]! < dropped) {
      this._gone += 1;
    }
    while (this._next < dropped + this.lines.length && now() < until) {
      this._searchBlock(Math.floor((this._next - dropped) / BLOCK_LINES));
    }
    return this._next >= dropped + this.lines.length;
  }

  /** Whether the line holds the text. */
  found(line: number): boolean {
    return this._text !== '' && this.matches(this.lines.plain(line));
  }

  matches(text: string): boolean {
    return (this._exact ? text : text.toLowerCase()).includes(this._text);
  }

  /** Go to the next line below `from`, or with -1 above it, around the ends; -1 where there is none. */
  go(step: 1 | -1, from: number): number {
    const found = this._hits.slice(this._gone);
    if (found.length === 0) {
      return -1;
    }
    const start = this._current >= this.lines.dropped ? this._current : from + this.lines.dropped;
    const next = step > 0 ? found.find(line => line > start) : found.findLast(line => line < start);
    this._current = next ?? (step > 0 ? found[0]! : found.at(-1)!);
    return this.current;
  }

  private _searchBlock(number: number): void {
    const { dropped } = this.lines;
    for (const line of this.lines.search(number, text => this.matches(text))) {
      if (line + dropped >= this._next) {
        this._hits.push(line + dropped);
      }
    }
    this._next = dropped + Math.min(this.lines.length, (number + 1) * BLOCK_LINES);
  }

  private _text = '';
  private _exact = false;
  /** Numbers counted from the very first line, so that they hold when old lines go. */
  private _hits: number[] = [];
  private _gone = 0;
  private _next = 0;
  private _current = -1;
}
