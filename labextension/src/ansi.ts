/**
 * One line of a log as a terminal would leave it on its screen. No DOM.
 *
 * A line comes with whatever a program wrote: colours, carriage returns of a progress bar, erasures. It is stored as
 * printable text with style marks `ESC [ … m`, each of which says the whole style of what follows.
 */

import { charWidth } from './charwidth';

export interface IStyle {
  /** 0…255, or `#rrggbb`. */
  foreground: number | string | null;
  background: number | string | null;
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
  inverse: boolean;
  strike: boolean;
}

export interface IRun {
  text: string;
  style: IStyle;
}

export const PLAIN: IStyle = Object.freeze({
  foreground: null,
  background: null,
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  inverse: false,
  strike: false
});

/* eslint-disable no-control-regex */
const CONTROL = /[\x00-\x1f\x7f-\x9f]/;
const SEQUENCE =
  /\x1b\[([0-?]*)[ -/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[PX^_][^\x1b]*(?:\x1b\\)?|\x1b[ -/]*[0-~]|[\x00-\x1f\x7f-\x9f]/g;
const MARK = /\x1b\[([^m]*)m/g;
/* eslint-enable no-control-regex */

const TAB = 8;
/** A program may move to any column; a line of a log is not made longer by it. */
const FARTHEST = 4_096;

/** Keeps the style that one line leaves to the next. */
export class LineScreen {
  /** The text to store for a line whose parts, between carriage returns, are joined by newlines. */
  draw(text: string): string {
    if (this._style === PLAIN && !CONTROL.test(text)) {
      return text;
    }
    this._cells = [];
    this._styles = [];
    for (const part of text.split('\n')) {
      this._column = 0;
      this._write(part);
    }
    return this._stored();
  }

  /** What came before is not known: begin plainly. */
  reset(): void {
    this._style = PLAIN;
  }

  private _write(part: string): void {
    let start = 0;
    SEQUENCE.lastIndex = 0;
    for (let found = SEQUENCE.exec(part); found !== null; found = SEQUENCE.exec(part)) {
      this._print(part.slice(start, found.index));
      this._obey(found[0], found[1] ?? '', found[2] ?? '');
      start = found.index + found[0].length;
    }
    this._print(part.slice(start));
  }

  private _print(text: string): void {
    for (const character of text) {
      const width = charWidth(character);
      if (width === 0 && this._column > 0) {
        this._cells[this._column - 1] += character;
        continue;
      }
      this._put(character);
      if (width === 2) {
        this._put('');
      }
    }
  }

  private _put(cell: string): void {
    while (this._cells.length < this._column) {
      this._cells.push(' ');
      this._styles.push(PLAIN);
    }
    this._cells[this._column] = cell;
    this._styles[this._column] = this._style;
    this._column += 1;
  }

  private _obey(sequence: string, parameters: string, final: string): void {
    const count = Math.max(1, Number.parseInt(parameters, 10) || 1);
    switch (final || sequence) {
      case 'm':
        this._style = applied(this._style, parameters);
        break;
      case 'K':
        this._erase(parameters);
        break;
      case 'C':
        this._column = Math.min(FARTHEST, this._column + count);
        break;
      case 'D':
      case '\b':
        this._column = Math.max(0, this._column - count);
        break;
      case 'G':
        this._column = Math.min(FARTHEST, count - 1);
        break;
      case '\t':
        this._print(' '.repeat(TAB - (this._column % TAB)));
        break;
    }
  }

  private _erase(parameters: string): void {
    if (parameters === '' || parameters === '0') {
      this._cells.length = Math.min(this._cells.length, this._column);
      this._styles.length = this._cells.length;
    } else if (parameters === '1') {
      this._cells.fill(' ', 0, this._column);
    } else if (parameters === '2') {
      this._cells.length = this._styles.length = 0;
    }
  }

  private _stored(): string {
    let stored = '';
    let style: IStyle = PLAIN;
    for (const [index, cell] of this._cells.entries()) {
      const next = this._styles[index]!;
      if (next !== style) {
        stored += `\x1b[${parametersOf(next)}m`;
        style = next;
      }
      stored += cell;
    }
    return stored;
  }

  private _style: IStyle = PLAIN;
  private _cells: string[] = [];
  private _styles: IStyle[] = [];
  private _column = 0;
}

/** The text of a stored line without its style marks. */
export function plainText(stored: string): string {
  return stored.includes('\x1b') ? stored.replace(MARK, '') : stored;
}

/** A stored line as runs of one style each. */
export function runs(stored: string): IRun[] {
  const found: IRun[] = [];
  let style: IStyle = PLAIN;
  let start = 0;
  for (const mark of stored.matchAll(MARK)) {
    push(found, stored.slice(start, mark.index), style);
    style = applied(PLAIN, mark[1]!);
    start = mark.index! + mark[0].length;
  }
  push(found, stored.slice(start), style);
  return found;
}

/** The runs cut into rows of so many columns; a wide character at the edge stays in the row that it begins in. */
export function rows(line: readonly IRun[], width: number): IRun[][] {
  const cut: IRun[][] = [[]];
  let column = 0;
  for (const { text, style } of line) {
    let start = 0;
    let index = 0;
    for (const character of text) {
      if (column >= width && charWidth(character) > 0) {
        push(cut.at(-1)!, text.slice(start, index), style);
        cut.push([]);
        start = index;
        column -= width;
      }
      column += charWidth(character);
      index += character.length;
    }
    push(cut.at(-1)!, text.slice(start), style);
  }
  return cut;
}

function push(found: IRun[], text: string, style: IStyle): void {
  if (text !== '') {
    found.push({ text, style });
  }
}

/** The same style is the same object, so that runs are told apart at once. */
const styles = new Map<string, IStyle>([['', PLAIN]]);

function applied(style: IStyle, parameters: string): IStyle {
  const next = { ...style };
  const codes = parameters.split(/[;:]/).map(code => Number.parseInt(code, 10) || 0);
  while (codes.length > 0) {
    applyOne(next, codes);
  }
  const key = parametersOf(next);
  if (!styles.has(key)) {
    styles.set(key, Object.freeze(next));
  }
  return styles.get(key)!;
}

/** Takes one code, and what belongs to it, from the front of `codes`. */
function applyOne(style: IStyle, codes: number[]): void {
  const code = codes.shift()!;
  const attribute = ATTRIBUTES[code];
  if (code === 0) {
    Object.assign(style, PLAIN);
  } else if (attribute !== undefined) {
    Object.assign(style, attribute);
  } else if (code === 38 || code === 39) {
    style.foreground = code === 38 ? colour(codes) : null;
  } else if (code === 48 || code === 49) {
    style.background = code === 48 ? colour(codes) : null;
  } else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) {
    style.foreground = code < 90 ? code - 30 : code - 82;
  } else if ((code >= 40 && code <= 47) || (code >= 100 && code <= 107)) {
    style.background = code < 100 ? code - 40 : code - 92;
  }
}

const ATTRIBUTES: Readonly<Record<number, Partial<IStyle>>> = {
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  7: { inverse: true },
  9: { strike: true },
  22: { bold: false, dim: false },
  23: { italic: false },
  24: { underline: false },
  27: { inverse: false },
  29: { strike: false }
};

function colour(codes: number[]): number | string | null {
  const kind = codes.shift();
  if (kind === 5) {
    return Math.min(255, codes.shift() ?? 0);
  }
  if (kind !== 2) {
    return null;
  }
  const parts = codes.splice(0, 3).map(part => Math.min(255, part));
  return `#${parts.map(part => part.toString(16).padStart(2, '0')).join('')}`;
}

function parametersOf(style: IStyle): string {
  const codes: string[] = [];
  for (const [code, attribute] of Object.entries(ATTRIBUTES)) {
    const [name, value] = Object.entries(attribute)[0] as [keyof IStyle, boolean];
    if (value && style[name] === true) {
      codes.push(code);
    }
  }
  codes.push(...colourCodes(38, style.foreground), ...colourCodes(48, style.background));
  return codes.join(';');
}

function colourCodes(code: number, value: number | string | null): string[] {
  if (typeof value === 'number') {
    return [`${code};5;${value}`];
  }
  const hex = value === null ? null : Number.parseInt(value.slice(1), 16);
  return hex === null ? [] : [`${code};2;${hex >> 16};${(hex >> 8) & 255};${hex & 255}`];
}
