/** What a terminal has to say beside its output: why it ended, and that a key was not sent. */

import { button, element } from './controls';

/** How long, in ms, it is said that a key was refused. */
const REFUSED_FOR = 2_500;

export class TerminalNotices {
  constructor() {
    this.notice = element('div', 'lw-Notice');
    this.notice.setAttribute('role', 'status');
    this.notice.hidden = true;
    this.refused = element('div', 'lw-Terminal-refused');
    this.refused.setAttribute('role', 'alert');
  }

  /** Stands below the terminal. */
  readonly notice: HTMLElement;
  /** Lies over the terminal, where one looks while typing: a key that is refused must not seem typed. */
  readonly refused: HTMLElement;

  dispose(): void {
    clearTimeout(this._refusing);
  }

  /** Empty: nothing. A status that is set to what it says already would be read out again. */
  say(text: string, action?: { label: string; press(): void }): void {
    if (this._said === text) {
      return;
    }
    this._said = text;
    this.notice.replaceChildren(element('span', 'lw-Notice-text', text));
    if (action !== undefined) {
      this.notice.append(button(action));
    }
    this.notice.hidden = text === '';
  }

  refuse(text: string): void {
    this.refused.textContent = text;
    clearTimeout(this._refusing);
    this._refusing = setTimeout(() => {
      this.refused.textContent = '';
    }, REFUSED_FOR);
  }

  private _said = '';
  private _refusing: ReturnType<typeof setTimeout> | undefined;
}
