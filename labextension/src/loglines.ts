/**
 * The lines of a log, kept so that a million of them cost little. No DOM.
 *
 * Full blocks of lines are held as bytes outside the heap of the page, and decoded when they are shown or searched.
 * Memory is bounded: the oldest blocks go, and their lines are counted.
 */

import { LineScreen, plainText } from './ansi';
import { columns } from './charwidth';
import type { LogItem } from './logstream';

export interface ILine {
  kind: 'line' | 'gap';
  /** When it was put out, in ms since the epoch; null where the log does not say. */
  time: number | null;
  /** As `LineScreen` stores it; of a gap the missing bytes, empty where nobody knows how many. */
  text: string;
}

export const BLOCK_LINES = 1_024;
export const MAX_LINES = 1_000_000;
/** A line of a hundred characters, a million times. */
export const MAX_BYTES = 128 * 1024 * 1024;
/** Blocks that were looked at last stay decoded: a screen has lines of two, a search goes through all. */
const DECODED = 4;

const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z) /;

class Block {
  add(line: ILine): void {
    this.lines!.push(line.text);
    this.times[this.length] = line.time ?? Number.NaN;
    this.widths[this.length] = line.kind === 'gap' ? 0 : columns(plainText(line.text));
    if (line.kind === 'gap') {
      this.gaps.add(this.length);
    }
    this.size += line.text.length;
    this.length += 1;
    if (this.length === BLOCK_LINES) {
      this._bytes = new TextEncoder().encode(this.lines!.join('\n'));
      this.size = this._bytes.length;
    }
  }

  decode(): string[] {
    this.lines ??= new TextDecoder('utf-8', { ignoreBOM: true }).decode(this._bytes!).split('\n');
    return this.lines;
  }

  /** Let go of the decoded lines of a full block. */
  fold(): void {
    if (this._bytes !== null) {
      this.lines = null;
    }
  }

  rowsOf(index: number, width: number): number {
    return Math.max(1, Math.ceil(this.widths[index]! / width));
  }

  countRows(width: number): number {
    let sum = 0;
    for (let index = 0; index < this.length; index += 1) {
      sum += this.rowsOf(index, width);
    }
    return sum;
  }

  lines: string[] | null = [];
  readonly times = new Float64Array(BLOCK_LINES);
  readonly widths = new Uint32Array(BLOCK_LINES);
  readonly gaps = new Set<number>();
  length = 0;
  size = 0;
  /** At the width that `LogLines` has. */
  rows = 0;
  private _bytes: Uint8Array | null = null;
}

export class LogLines {
  constructor(
    private readonly maxLines = MAX_LINES,
    private readonly maxBytes = MAX_BYTES
  ) {}

  /** How many are kept; the first has number 0. */
  get length(): number {
    return this._length;
  }

  /** How many came and are not kept any more. */
  get dropped(): number {
    return this._dropped;
  }

  get bytes(): number {
    return this._bytes;
  }

  /** The columns of the longest kept line; one that is gone may still count. */
  get widest(): number {
    return this._widest;
  }

  /** Of all kept lines, when rows have the width given last. */
  get rows(): number {
    return this._rows;
  }

  append(items: readonly LogItem[]): void {
    for (const item of items) {
      this._add(item.kind === 'gap' ? this._gap(item.bytes) : this._line(item.text));
    }
    this._makeRoom();
  }

  clear(): void {
    this._blocks = [];
    this._length = this._bytes = this._rows = this._dropped = this._widest = 0;
    this._screen.reset();
  }

  get(index: number): ILine {
    const block = this._blocks[Math.floor(index / BLOCK_LINES)]!;
    const inside = index % BLOCK_LINES;
    const time = block.times[inside]!;
    return {
      kind: block.gaps.has(inside) ? 'gap' : 'line',
      time: Number.isNaN(time) ? null : time,
      text: this._decoded(block)[inside]!
    };
  }

  /** The text of a line without its style; of a gap nothing. */
  plain(index: number): string {
    const line = this.get(index);
    return line.kind === 'gap' ? '' : plainText(line.text);
  }

  /** Lay lines out in rows of so many columns; with Infinity each line is one row. */
  layOut(width: number): void {
    if (width === this._width) {
      return;
    }
    this._width = width;
    this._rows = 0;
    for (const block of this._blocks) {
      block.rows = block.countRows(width);
      this._rows += block.rows;
    }
  }

  /** The line that row number `row` is in, and which of its rows that is. */
  lineAt(row: number): { line: number; part: number } {
    let rest = row;
    for (const [number, block] of this._blocks.entries()) {
      if (rest >= block.rows) {
        rest -= block.rows;
        continue;
      }
      let inside = 0;
      for (let own = block.rowsOf(0, this._width); rest >= own;) {
        rest -= own;
        inside += 1;
        own = block.rowsOf(inside, this._width);
      }
      return { line: number * BLOCK_LINES + inside, part: rest };
    }
    return { line: this._length, part: 0 };
  }

  /** The first row of a line. */
  rowOf(line: number): number {
    const last = Math.floor(line / BLOCK_LINES);
    let row = this._blocks.slice(0, last).reduce((sum, block) => sum + block.rows, 0);
    for (let inside = 0; inside < line % BLOCK_LINES; inside += 1) {
      row += this._blocks[last]!.rowsOf(inside, this._width);
    }
    return row;
  }

  /** The lines of block `number` in which `matches` finds something. */
  search(number: number, matches: (text: string) => boolean): number[] {
    const block = this._blocks[number];
    const found: number[] = [];
    if (block !== undefined) {
      for (const [inside, text] of this._decoded(block).entries()) {
        if (!block.gaps.has(inside) && matches(plainText(text))) {
          found.push(number * BLOCK_LINES + inside);
        }
      }
    }
    return found;
  }

  get blocks(): number {
    return this._blocks.length;
  }

  private _line(raw: string): ILine {
    const time = TIME.exec(raw);
    const text = time === null ? raw : raw.slice(time[0].length);
    return {
      kind: 'line',
      time: time === null ? null : Date.parse(time[1]!),
      text: this._screen.draw(text)
    };
  }

  private _gap(bytes: number | null): ILine {
    this._screen.reset();
    return { kind: 'gap', time: null, text: bytes === null ? '' : String(bytes) };
  }

  private _add(line: ILine): void {
    let block = this._blocks.at(-1);
    if (block === undefined || block.length === BLOCK_LINES) {
      block?.fold();
      block = new Block();
      this._blocks.push(block);
    }
    this._bytes -= block.size;
    block.add(line);
    this._bytes += block.size;
    const own = block.rowsOf(block.length - 1, this._width);
    block.rows += own;
    this._rows += own;
    this._length += 1;
    this._widest = Math.max(this._widest, block.widths[block.length - 1]!);
  }

  private _makeRoom(): void {
    let first = 0;
    while (this._length > this.maxLines || this._bytes > this.maxBytes) {
      const block = this._blocks[first];
      if (block === undefined || first === this._blocks.length - 1) {
        break;
      }
      this._length -= block.length;
      this._dropped += block.length;
      this._bytes -= block.size;
      this._rows -= block.rows;
      first += 1;
    }
    this._blocks.splice(0, first);
  }

  private _decoded(block: Block): string[] {
    if (block.length === BLOCK_LINES && !this._recent.includes(block)) {
      this._recent.push(block);
      if (this._recent.length > DECODED) {
        this._recent.shift()!.fold();
      }
    }
    return block.decode();
  }

  private readonly _screen = new LineScreen();
  private _blocks: Block[] = [];
  private _recent: Block[] = [];
  private _length = 0;
  private _dropped = 0;
  private _bytes = 0;
  private _rows = 0;
  private _width = Number.POSITIVE_INFINITY;
  private _widest = 0;
}
