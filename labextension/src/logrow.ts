/** One row of a log as elements of the page. */

import type { IRun, IStyle } from './ansi';
import { element } from './controls';
import type { ILine } from './loglines';

export interface IRowTexts {
  /** What a gap says. */
  gapText(bytes: number | null): string;
  timeText(time: number): string;
}

/** The named colours are the theme's; the others are what xterm has. */
const ANSI_COLOURS = 16;

/** `part`: which of its line's rows it is; only the first has the time. */
export function rowNode(
  line: ILine,
  piece: readonly IRun[],
  place: { part: number; timestamps: boolean },
  texts: IRowTexts
): HTMLElement {
  const row = element('div', 'lw-LogView-row');
  if (line.kind === 'gap') {
    row.classList.add('lw-mod-gap');
    row.textContent = texts.gapText(line.text === '' ? null : Number(line.text));
    return row;
  }
  if (place.timestamps) {
    const time = line.time === null || place.part > 0 ? '' : texts.timeText(line.time);
    row.append(element('span', 'lw-LogView-time', time));
  }
  row.append(...piece.map(run => styled(run)));
  return row;
}

function styled(run: IRun): Node {
  const names = classNames(run.style);
  const { foreground, background } = run.style;
  if (names === '' && foreground === null && background === null) {
    return document.createTextNode(run.text);
  }
  const span = element('span', names, run.text);
  const [front, back] = run.style.inverse ? [background, foreground] : [foreground, background];
  span.style.color = cssColour(front, run.style.inverse ? 'var(--lw-log-background)' : '');
  span.style.backgroundColor = cssColour(back, run.style.inverse ? 'var(--lw-log-foreground)' : '');
  return span;
}

const NAMES = ['bold', 'dim', 'italic', 'underline', 'strike'] as const;

function classNames(style: IStyle): string {
  const names = NAMES.filter(name => style[name]).map(name => `lw-mod-${name}`);
  return (style.inverse ? [...names, 'lw-mod-inverse'] : names).join(' ');
}

function cssColour(colour: number | string | null, none: string): string {
  if (colour === null) {
    return none;
  }
  if (typeof colour === 'string') {
    return colour;
  }
  return colour < ANSI_COLOURS ? `var(--lw-ansi-${colour})` : indexedColour(colour);
}

const STEPS = [0, 95, 135, 175, 215, 255];

function indexedColour(colour: number): string {
  if (colour >= 232) {
    const grey = 8 + (colour - 232) * 10;
    return `rgb(${grey} ${grey} ${grey})`;
  }
  const place = colour - ANSI_COLOURS;
  const [red, green, blue] = [Math.floor(place / 36), Math.floor(place / 6) % 6, place % 6];
  return `rgb(${STEPS[red]} ${STEPS[green]} ${STEPS[blue]})`;
}
