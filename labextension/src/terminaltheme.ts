/** How a terminal looks: colours from the style sheet, so that they are those of the theme; fonts from settings. */

import type { ITerminalOptions, ITheme } from '@xterm/xterm';

export interface ITerminalSettings {
  /** Empty: the theme's font for code. */
  fontFamily: string;
  fontSize: number;
  lineHeight: number;
  cursorBlink: boolean;
  /** Lines above the screen. */
  scrollback: number;
  /** Ctrl-V pastes; else the program gets it. */
  pasteWithCtrlV: boolean;
  macOptionIsMeta: boolean;
  screenReaderMode: boolean;
}

export const TERMINAL_SETTINGS: Readonly<ITerminalSettings> = {
  fontFamily: '',
  fontSize: 13,
  lineHeight: 1.2,
  cursorBlink: true,
  scrollback: 10_000,
  pasteWithCtrlV: true,
  macOptionIsMeta: false,
  screenReaderMode: false
};

const NAMES = [
  'black',
  'red',
  'green',
  'yellow',
  'blue',
  'magenta',
  'cyan',
  'white',
  'brightBlack',
  'brightRed',
  'brightGreen',
  'brightYellow',
  'brightBlue',
  'brightMagenta',
  'brightCyan',
  'brightWhite'
] as const;

/** The colours that the style sheet gives to `node`. */
function themeOf(node: HTMLElement): ITheme {
  const style = getComputedStyle(node);
  const value = (name: string): string => style.getPropertyValue(name).trim();
  const theme: ITheme = {
    background: value('--lw-terminal-background'),
    foreground: value('--lw-terminal-foreground'),
    cursor: value('--lw-terminal-cursor'),
    cursorAccent: value('--lw-terminal-background'),
    selectionBackground: value('--lw-terminal-selection')
  };
  for (const [index, name] of NAMES.entries()) {
    theme[name] = value(`--lw-ansi-${index}`);
  }
  return theme;
}

/** What xterm is to be told of theme and settings, at its place in the page. */
export function lookOf(host: HTMLElement, settings: ITerminalSettings): ITerminalOptions {
  const { fontFamily, fontSize, lineHeight, cursorBlink, scrollback } = settings;
  const { macOptionIsMeta, screenReaderMode } = settings;
  const own = getComputedStyle(host).getPropertyValue('--jp-code-font-family').trim();
  return {
    fontFamily: fontFamily || own || 'monospace',
    fontSize,
    lineHeight,
    cursorBlink,
    scrollback,
    macOptionIsMeta,
    screenReaderMode,
    theme: themeOf(host)
  };
}

/** Calls `changed` when JupyterLab has put on another theme. */
export function watchTheme(changed: () => void): MutationObserver {
  const observer = new MutationObserver(changed);
  observer.observe(document.body, {
    attributeFilter: ['data-jp-theme-name', 'data-jp-theme-light']
  });
  return observer;
}
