/** The bar above a terminal: the link's state, access, who watches, time left, search. */

import {
  caretDownEmptyThinIcon,
  caretUpEmptyThinIcon,
  searchIcon
} from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { Attachment } from './attachment';
import { button, element, toggle, setOn } from './controls';
import { countdown, linkText, watchingText } from './terminaltexts';

export interface ITerminalActions {
  connect(): void;
  extend(): void;
  /** Null where there is no place for a log. */
  openLogs: (() => void) | null;
  search(text: string, step: 1 | -1): void;
  endSearch(): void;
}

export class TerminalBar {
  constructor(
    private readonly actions: ITerminalActions,
    private readonly trans: TranslationBundle
  ) {
    this.node = element('div', 'lw-Bar');
    this.node.setAttribute('role', 'toolbar');
    this.node.setAttribute('aria-label', trans.__('Terminal'));
    this._state = element('span', 'lw-Bar-state');
    this._state.setAttribute('role', 'status');
    this._retry = button({ label: trans.__('Try now'), press: () => actions.connect() });
    this._access = element('span', 'lw-Chip', trans.__('Read-only'));
    this._access.title = trans.__('You can view output but cannot type');
    this._time = element('span', 'lw-Chip lw-mod-warn');
    this._extend = button({
      label: trans.__('Extend by 1 hour'),
      press: () => actions.extend()
    });
    this._watching = element('span', 'lw-Bar-text lw-mod-names');
    this._watching.dir = 'auto';
    this._searching = toggle({
      label: trans.__('Find'),
      title: trans.__('Find in the terminal (Ctrl+Shift+F)'),
      icon: searchIcon,
      on: false,
      press: on => this.openSearch(on)
    });
    this._found = element('span', 'lw-Bar-text lw-mod-hits');
    this._input = this._searchInput();
    this._search = this._searchBox();
    this._retry.hidden = this._access.hidden = this._search.hidden = true;
    this.node.append(this._state, this._retry, this._access, this._time, this._extend);
    this.node.append(element('span', 'lw-Bar-spacer'), this._watching, this._search);
    this.node.append(this._searching);
    if (actions.openLogs !== null) {
      this.node.append(button({ label: trans.__('Log'), press: actions.openLogs }));
    }
    this.showTime(null, false);
  }

  readonly node: HTMLElement;

  /** The first control: where the keyboard comes to when it leaves the terminal. */
  focus(): void {
    this._searching.focus();
  }

  showLink(link: Attachment, now: number): void {
    const { trans } = this;
    say(this._state, linkText(link, now, trans));
    this._state.dataset['state'] = link.state;
    this._retry.hidden = link.state !== 'waiting';
    this._access.hidden = link.access !== 'read_only';
    say(this._watching, watchingText(link.viewers, trans));
    this._watching.title = this._watching.textContent;
  }

  /** In ms until the end; null while it is far. */
  showTime(left: number | null, extendable: boolean): void {
    say(this._time, left === null ? '' : this.trans.__('Ends in %1', countdown(left)));
    this._time.hidden = left === null;
    this._extend.hidden = left === null || !extendable;
  }

  /** Null: nothing is looked for. */
  showFound(index: number, count: number | null): void {
    const { trans } = this;
    const none = count === 0 ? trans.__('not found') : '';
    say(this._found, count ? trans.__('%1 of %2', index + 1, count) : none);
  }

  openSearch(open: boolean): void {
    setOn(this._searching, open);
    this._search.hidden = !open;
    if (open) {
      this._input.focus();
      this._input.select();
    } else {
      this.actions.endSearch();
    }
  }

  private _searchInput(): HTMLInputElement {
    const input = element('input', 'lw-Input') as HTMLInputElement;
    input.type = 'search';
    input.placeholder = this.trans.__('Find');
    input.setAttribute('aria-label', this.trans.__('Find in the terminal'));
    input.addEventListener('input', () => this.actions.search(input.value, -1));
    input.addEventListener('keydown', event => {
      if (event.key === 'Enter') {
        this.actions.search(input.value, event.shiftKey ? 1 : -1);
      } else if (event.key === 'Escape') {
        this.openSearch(false);
      }
    });
    return input;
  }

  private _searchBox(): HTMLElement {
    const { trans, actions } = this;
    const box = element('span', 'lw-Bar-group');
    box.append(
      this._input,
      button({
        label: trans.__('Previous'),
        icon: caretUpEmptyThinIcon,
        press: () => actions.search(this._input.value, -1)
      }),
      button({
        label: trans.__('Next'),
        icon: caretDownEmptyThinIcon,
        press: () => actions.search(this._input.value, 1)
      }),
      this._found
    );
    return box;
  }

  private readonly _state: HTMLElement;
  private readonly _retry: HTMLButtonElement;
  private readonly _access: HTMLElement;
  private readonly _time: HTMLElement;
  private readonly _extend: HTMLButtonElement;
  private readonly _watching: HTMLElement;
  private readonly _searching: HTMLButtonElement;
  private readonly _found: HTMLElement;
  private readonly _input: HTMLInputElement;
  private readonly _search: HTMLElement;
}

/** A status that is set to what it says already would be read out again. */
function say(node: HTMLElement, text: string): void {
  if (node.textContent !== text) {
    node.textContent = text;
  }
}
