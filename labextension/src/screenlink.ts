/** Ties an xterm to an attachment: what comes is drawn and acknowledged, what is typed is sent. */

import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable, Terminal } from '@xterm/xterm';

import type { Attachment, TerminalItem } from './attachment';
import { gapText } from './gaptext';
import { guardQueries } from './terminalqueries';

/** Whatever the program that is gone had switched on in the terminal: alternate screen, mouse, marks, colours. */
const PLAIN_AGAIN = '\x1b[?1049l\x1b[?1000;1002;1003;1004;1006;2004l\x1b[!p\x1b[0m';

export class ScreenLink implements IDisposable {
  constructor(
    private readonly terminal: Terminal,
    private readonly link: Attachment,
    private readonly trans: TranslationBundle
  ) {
    this._bound = [
      ...guardQueries(terminal, () => !this._replaying && link.primary),
      terminal.onData(data => link.send(data)),
      terminal.onBinary(data => link.send(Uint8Array.from(data, byte => byte.charCodeAt(0))))
    ];
    link.received.connect(this._onReceived, this);
  }

  dispose(): void {
    this.link.received.disconnect(this._onReceived, this);
    this._bound.forEach(bound => bound.dispose());
  }

  private _onReceived(link: Attachment, item: TerminalItem): void {
    if (item.kind === 'gap') {
      this.terminal.write(this._gapMark(item.bytes, item.restarted));
      return;
    }
    this._replay(item.replay);
    this.terminal.write(item.data, () => link.drawn(item.data.length));
  }

  /** xterm reads what it is given later: the switch is put at its place in the row. */
  private _replay(replay: boolean): void {
    if (replay !== this._queuedReplay) {
      this._queuedReplay = replay;
      this.terminal.write('', () => {
        this._replaying = replay;
      });
    }
  }

  private _gapMark(bytes: number | null, restarted: boolean): string {
    const text = restarted
      ? this.trans.__('The terminal was made anew: output may be missing here, or come again')
      : gapText(bytes, this.trans);
    return `${restarted ? PLAIN_AGAIN : ''}\r\n\x1b[0;7m ${text} \x1b[0m\r\n`;
  }

  private readonly _bound: IDisposable[];
  private _queuedReplay = true;
  private _replaying = true;
}
