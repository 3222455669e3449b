/** The few keys that do not go to the program. */

import type { Terminal } from '@xterm/xterm';

export interface ITerminalKeys {
  /** The keyboard goes elsewhere: without a key for it, it could never leave. */
  leave(): void;
  search(): void;
  pasteWithCtrlV(): boolean;
}

export function bindKeys(terminal: Terminal, keys: ITerminalKeys): void {
  terminal.attachCustomKeyEventHandler(event => {
    const action = event.type === 'keydown' ? ourAction(event, terminal, keys) : null;
    if (action === 'leave' || action === 'search') {
      event.preventDefault();
      keys[action]();
    } else if (action === 'copy') {
      // The copy event comes right after; then the next Ctrl-C interrupts again.
      setTimeout(() => terminal.clearSelection());
    }
    return action === null;
  });
}

/** `copy` and `paste` are left to the browser, whose events work on every page. */
type Action = 'leave' | 'search' | 'copy' | 'paste';

function ourAction(event: KeyboardEvent, terminal: Terminal, keys: ITerminalKeys): Action | null {
  if (event.shiftKey && event.key === 'Escape') {
    return 'leave';
  }
  if (!event.ctrlKey && !event.metaKey) {
    return null;
  }
  switch (event.key.toLowerCase()) {
    case 'f':
      return event.shiftKey ? 'search' : null;
    case 'c':
      return terminal.hasSelection() ? 'copy' : null;
    case 'v':
      return event.shiftKey || keys.pasteWithCtrlV() ? 'paste' : null;
    default:
      return null;
  }
}

/** Before xterm, which pastes what it gets as it is. */
export function onPaste(host: HTMLElement, paste: (text: string) => void): void {
  const listen = (event: ClipboardEvent): void => {
    event.preventDefault();
    event.stopPropagation();
    paste(event.clipboardData?.getData('text/plain') ?? '');
  };
  host.addEventListener('paste', listen, { capture: true });
}
