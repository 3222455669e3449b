/** A weaver in the output of a cell: its state in a line, its time, and what can be done with it. */

import type { TranslationBundle } from '@jupyterlab/translation';
import type { LabIcon } from '@jupyterlab/ui-components';
import { Widget } from '@lumino/widgets';

import { doneIcon, endingIcon, failedIcon, liveIcon, pendingIcon } from './icons';
import { hasEnded, inWords, shareLeft, timeLeft } from './lifetimes';
import type { IWeaver, Status } from './models';
import { nameOf, reasonOf, statusWord, tagsOf } from './words';

const ICONS: Record<Status, LabIcon> = {
  pending: pendingIcon,
  running: liveIcon,
  succeeded: doneIcon,
  failed: failedIcon,
  terminating: endingIcon
};

export interface ICardAction {
  label: string;
  press(): void;
  /** Of what is shown and hidden: whether it is shown. */
  isOn?: boolean;
}

export class WeaverCard extends Widget {
  constructor(private readonly _trans: TranslationBundle) {
    super();
    this.addClass('lw-Card');
    this.node.setAttribute('role', 'group');
    this._actions.className = 'lw-Card-actions';
    this.node.append(this._head, this._facts, this._actions);
  }

  /** `whole`: with its image, tags and time; else the line with its state alone. */
  draw(weaver: IWeaver, whole: boolean, isDeleted: boolean): void {
    this.node.setAttribute('aria-label', this._trans.__('Weaver %1', nameOf(weaver)));
    this.node.dataset['status'] = isDeleted ? 'deleted' : weaver.status;
    this._head.replaceChildren(...this._headOf(weaver, isDeleted));
    const facts = whole && !isDeleted ? this._factsOf(weaver) : [];
    this._facts.replaceChildren(...facts);
    this._facts.hidden = facts.length === 0;
  }

  /** The buttons; one that has the focus keeps it. */
  offer(actions: readonly ICardAction[]): void {
    const focused = document.activeElement?.textContent;
    const buttons = actions.map(buttonOf);
    const keeps = this._actions.contains(document.activeElement);
    this._actions.replaceChildren(...buttons);
    this._actions.hidden = buttons.length === 0;
    if (keeps) {
      buttons.find(each => each.textContent === focused)?.focus();
    }
  }

  private _headOf(weaver: IWeaver, isDeleted: boolean): HTMLElement[] {
    const state = text('span', 'lw-Card-state');
    const icon = isDeleted ? endingIcon : ICONS[weaver.status];
    icon.element({ container: state, tag: 'span' });
    const word = isDeleted ? this._trans.__('Deleted') : statusWord(weaver.status, this._trans);
    state.append(
      hasEnded(weaver) && weaver.exit_code !== null ? `${word} (${weaver.exit_code})` : word
    );
    const name = text('span', 'lw-Card-name', nameOf(weaver));
    const id = nameOf(weaver) === weaver.id ? [] : [text('code', 'lw-Card-id', weaver.id)];
    const reason = isDeleted ? '' : reasonOf(weaver, this._trans);
    return [state, name, ...id, ...(reason ? [text('span', 'lw-Card-reason', reason)] : [])];
  }

  private _factsOf(weaver: IWeaver): HTMLElement[] {
    const tags = tagsOf(weaver).map(tag => text('span', 'lw-Card-tag', tag));
    return [text('span', 'lw-Card-image', weaver.image), ...tags, ...this._timeOf(weaver)];
  }

  private _timeOf(weaver: IWeaver): HTMLElement[] {
    if (hasEnded(weaver) || weaver.status === 'terminating') {
      return [];
    }
    const now = Date.now();
    const left = this._trans.__('%1 left', inWords(timeLeft(weaver, now), this._trans));
    const time = text('span', 'lw-Card-time', left);
    time.style.setProperty('--lw-share', String(shareLeft(weaver, now)));
    return [time];
  }

  private readonly _head = text('div', 'lw-Card-head');
  private readonly _facts = text('div', 'lw-Card-facts');
  private readonly _actions = text('div', 'lw-Card-actions');
}

function text(tag: string, className: string, content = ''): HTMLElement {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = content;
  // Names and tags are people's own words, of any direction.
  node.dir = 'auto';
  return node;
}

function buttonOf(action: ICardAction): HTMLButtonElement {
  const node = document.createElement('button');
  node.type = 'button';
  node.className = 'lw-Card-button jp-mod-styled jp-mod-minimal';
  node.textContent = action.label;
  if (action.isOn !== undefined) {
    node.ariaPressed = String(action.isOn);
  }
  node.addEventListener('click', () => action.press());
  return node;
}
