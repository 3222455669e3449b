/** The bar above a log: switches, search, copy and download. */

import {
  caretDownEmptyThinIcon,
  caretUpEmptyThinIcon,
  copyIcon,
  downloadIcon
} from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';

import { button, element, setOn, toggle } from './controls';
import type { LogLines } from './loglines';
import { MAX_LINES } from './loglines';
import type { LogSearch } from './logsearch';
import type { LogStream } from './logstream';

export interface ILogActions {
  follow(on: boolean): void;
  timestamps(on: boolean): void;
  wrap(on: boolean): void;
  search(text: string): void;
  go(step: 1 | -1): void;
  copy(): void;
  download(): void;
  earlier(): void;
}

/** How long, in ms, a word about what was done stays. */
const SAID_FOR = 3_000;

export class LogBar {
  constructor(
    private readonly actions: ILogActions,
    private readonly trans: TranslationBundle,
    switches: { timestamps?: boolean; wrap?: boolean }
  ) {
    this.node = element('div', 'lw-Bar');
    this.node.setAttribute('role', 'toolbar');
    this.node.setAttribute('aria-label', trans.__('Log'));
    this._follow = toggle({
      label: trans.__('Follow'),
      title: trans.__('Stay at the end as lines come'),
      on: true,
      press: on => actions.follow(on)
    });
    this._earlier = button({
      label: trans.__('Earlier lines'),
      title: trans.__('Load all lines that are kept'),
      press: () => actions.earlier()
    });
    this._earlier.hidden = true;
    this._count = element('span', 'lw-Bar-text');
    this._said = element('span', 'lw-Bar-text');
    this._said.setAttribute('role', 'status');
    this._hits = element('span', 'lw-Bar-text lw-mod-hits');
    this._hits.setAttribute('role', 'status');
    this._input = this._searchInput();
    this.node.append(
      this._follow,
      this._switch(
        trans.__('Times'),
        trans.__('Show when each line came'),
        switches.timestamps,
        on => {
          actions.timestamps(on);
        }
      ),
      this._switch(trans.__('Wrap'), trans.__('Break long lines'), switches.wrap, on => {
        actions.wrap(on);
      }),
      this._searchBox(),
      element('span', 'lw-Bar-spacer'),
      this._said,
      this._count,
      this._earlier,
      button({
        label: trans.__('Copy the selection, or all lines'),
        icon: copyIcon,
        press: () => actions.copy()
      }),
      button({
        label: trans.__('Download as a file'),
        icon: downloadIcon,
        press: () => actions.download()
      })
    );
  }

  readonly node: HTMLElement;

  showFollowing(on: boolean): void {
    setOn(this._follow, on);
  }

  showState(stream: LogStream, lines: LogLines): void {
    const { trans } = this;
    const count = lines.length.toLocaleString('en');
    this._count.textContent =
      lines.dropped > 0
        ? trans.__('last %1 lines', count)
        : trans._n('%2 line', '%2 lines', lines.length, count);
    this._earlier.hidden = stream.tail >= MAX_LINES || lines.length < stream.tail;
  }

  /** Null when nothing is looked for. */
  showSearch(search: LogSearch | null): void {
    const { trans } = this;
    const text =
      search === null
        ? ''
        : search.count === 0
          ? trans.__('not found')
          : trans.__('%1 of %2', search.position, search.count.toLocaleString('en'));
    this._hits.textContent = text;
    this._up.disabled = this._down.disabled = search === null || search.count === 0;
  }

  say(text: string): void {
    clearTimeout(this._saying);
    this._said.textContent = text;
    this._saying = setTimeout(() => {
      this._said.textContent = '';
    }, SAID_FOR);
  }

  focusSearch(): void {
    this._input.focus();
    this._input.select();
  }

  private _switch(
    label: string,
    title: string,
    on: boolean | undefined,
    press: (on: boolean) => void
  ): HTMLElement {
    const node = toggle({
      label,
      title,
      on: on ?? false,
      press: next => {
        setOn(node, next);
        press(next);
      }
    });
    return node;
  }

  private _searchInput(): HTMLInputElement {
    const input = element('input', 'lw-Input') as HTMLInputElement;
    input.type = 'search';
    input.placeholder = this.trans.__('Find');
    input.setAttribute('aria-label', this.trans.__('Find in the log'));
    input.addEventListener('input', () => this.actions.search(input.value));
    input.addEventListener('keydown', event => {
      if (event.key === 'Enter') {
        this.actions.go(event.shiftKey ? -1 : 1);
      }
    });
    return input;
  }

  private _searchBox(): HTMLElement {
    const { trans, actions } = this;
    const box = element('span', 'lw-Bar-group');
    this._up = button({
      label: trans.__('Previous'),
      icon: caretUpEmptyThinIcon,
      press: () => actions.go(-1)
    });
    this._down = button({
      label: trans.__('Next'),
      icon: caretDownEmptyThinIcon,
      press: () => actions.go(1)
    });
    this._up.disabled = this._down.disabled = true;
    box.append(this._input, this._up, this._down, this._hits);
    return box;
  }

  private readonly _follow: HTMLButtonElement;
  private readonly _earlier: HTMLButtonElement;
  private readonly _count: HTMLElement;
  private readonly _said: HTMLElement;
  private readonly _hits: HTMLElement;
  private readonly _input: HTMLInputElement;
  private _up!: HTMLButtonElement;
  private _down!: HTMLButtonElement;
  private _saying: ReturnType<typeof setTimeout> | undefined;
}
