/** The text in a terminal: all of it, and where a part stands. */

import type { SearchAddon } from '@xterm/addon-search';
import type { Terminal } from '@xterm/xterm';

/** xterm takes no CSS variables here; both read well on light and on dark. */
const FOUND = {
  matchBackground: '#b08800',
  matchOverviewRuler: '#b08800',
  activeMatchBackground: '#e36209',
  activeMatchColorOverviewRuler: '#e36209'
};

export function find(search: SearchAddon, text: string, step: 1 | -1): void {
  const options = { decorations: FOUND };
  if (step > 0) {
    search.findNext(text, options);
  } else {
    search.findPrevious(text, options);
  }
}

/** Scrollback and screen, with lines that were wrapped in one piece. */
export function textOf(terminal: Terminal): string {
  const buffer = terminal.buffer.active;
  const lines: string[] = [];
  for (let index = 0; index < buffer.length; index += 1) {
    const line = buffer.getLine(index)!;
    const text = line.translateToString(true);
    if (line.isWrapped && lines.length > 0) {
      lines[lines.length - 1] += text;
    } else {
      lines.push(text);
    }
  }
  return lines.join('\n').trimEnd();
}
