/**
 * xterm.js with all that a weaver's terminal needs of it: half a megabyte, in one chunk, which a page loads with its
 * first terminal. Import it by `import()` only.
 */

import { ClipboardAddon } from '@xterm/addon-clipboard';
import { FitAddon } from '@xterm/addon-fit';
import { SearchAddon } from '@xterm/addon-search';
import { UnicodeGraphemesAddon } from '@xterm/addon-unicode-graphemes';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { WebglAddon } from '@xterm/addon-webgl';
import { Terminal } from '@xterm/xterm';
import type { ITerminalOptions } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';

import { copyText } from './clipboard';

export interface IScreen {
  terminal: Terminal;
  fit: FitAddon;
  search: SearchAddon;
  /** Put it into the page. */
  open(host: HTMLElement): void;
  /** Look otherwise. */
  dress(options: ITerminalOptions): void;
}

/** Colours that a program chose must be readable on our background too. */
const CONTRAST = 4.5;

/** A terminal without a place in the page yet. */
export function makeScreen(options: ITerminalOptions): IScreen {
  const terminal = new Terminal({
    ...options,
    allowProposedApi: true,
    minimumContrastRatio: CONTRAST,
    linkHandler: { activate: (_, uri) => openLink(uri) }
  });
  const fit = new FitAddon();
  const search = new SearchAddon();
  terminal.loadAddon(fit);
  terminal.loadAddon(search);
  terminal.loadAddon(new UnicodeGraphemesAddon());
  terminal.loadAddon(new WebLinksAddon((_, uri) => openLink(uri)));
  terminal.loadAddon(
    // What is on the clipboard is nothing to a program in a weaver: it may write, never read.
    new ClipboardAddon(undefined, {
      readText: () => '',
      writeText: async (_, text) => void (await copyText(text))
    })
  );
  let accelerated = false;
  const dress = (look: ITerminalOptions): void => {
    const letterSpacing = accelerated ? spacing(look) : 0;
    Object.assign(terminal.options, { ...look, letterSpacing });
  };
  const open = (host: HTMLElement): void => {
    terminal.open(host);
    accelerated = accelerate(terminal, () => {
      accelerated = false;
      dress(options);
    });
    dress(options);
  };
  return { terminal, fit, search, open, dress };
}

/** Draw by the graphics card where there is one; without, xterm draws by elements. */
function accelerate(terminal: Terminal, lost: () => void): boolean {
  try {
    const webgl = new WebglAddon();
    webgl.onContextLoss(() => {
      webgl.dispose();
      lost();
    });
    terminal.loadAddon(webgl);
    return true;
  } catch {
    // No WebGL here, or too many terminals have it already.
    return false;
  }
}

/** The graphics card's cells are whole pixels wide, rounded down: give back what makes letters touch. */
function spacing({ fontFamily, fontSize }: ITerminalOptions): number {
  const context = document.createElement('canvas').getContext('2d');
  if (context === null) {
    return 0;
  }
  context.font = `${fontSize}px ${fontFamily}`;
  const width = context.measureText('W').width * window.devicePixelRatio;
  return Math.round(width) - Math.floor(width);
}

/** A program's link leads to the web, and to nothing else: not to a script, not to a file. */
export function isWebLink(uri: string): boolean {
  try {
    return ['http:', 'https:'].includes(new URL(uri).protocol);
  } catch {
    return false;
  }
}

function openLink(uri: string): void {
  if (isWebLink(uri)) {
    window.open(uri, '_blank', 'noopener,noreferrer');
  }
}
