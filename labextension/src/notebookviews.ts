/** Weavers in the outputs of cells: the same terminal, log and state as in the rest of the page. */

import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import { nullTranslator } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import { PanelLayout, Widget } from '@lumino/widgets';

import { ApiError } from './api';
import type { IWeaver } from './models';
import type { ILiveModel, ITold, IViewSpec } from './notebookspec';
import { CommandIDs, type IWeavers } from './tokens';
import { type ICardAction, WeaverCard } from './weavercard';

export interface INotebookContext {
  weavers: IWeavers;
  commands: CommandRegistry;
  translator: ITranslator | null;
}

type Body = 'logs' | 'terminal';
/** A kernel that counts lines need not hear of each. */
const TELL_EVERY = 250;
/** The time left is told in minutes. */
const REDRAW_EVERY = 20_000;

export class NotebookView extends Widget {
  /** `picture` is what the notebook keeps for where nothing is live, fit to be shown. */
  constructor(
    private readonly _context: INotebookContext,
    readonly spec: IViewSpec,
    picture: string = ''
  ) {
    super();
    this._trans = (_context.translator ?? nullTranslator).load('loom_weaver');
    this.addClass('lw-NotebookView');
    this.addClass('jp-LoomWeaver');
    this.layout = new PanelLayout();
    this._card = new WeaverCard(this._trans);
    this._notice.addClass('lw-NotebookView-notice');
    this._notice.node.setAttribute('role', 'status');
    this._picture.node.innerHTML = picture;
    for (const part of [this._card, this._notice, this._picture]) {
      (this.layout as PanelLayout).addWidget(part);
    }
    if (spec.view !== 'card') {
      this._open = spec.view;
    }
    _context.weavers.store.changed.connect(this._draw, this);
    this._draw();
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._context.weavers.store.changed.disconnect(this._draw, this);
    clearTimeout(this._telling);
    this._models.clear();
    super.dispose();
  }

  /** The kernel's side hears from now on what is seen here. */
  bind(model: ILiveModel): void {
    this._models.add(model);
    this._tellSoon();
  }

  unbind(model: ILiveModel): void {
    this._models.delete(model);
  }

  protected override onAfterAttach(): void {
    this._redrawing = setInterval(() => this._draw(), REDRAW_EVERY);
  }

  protected override onBeforeDetach(): void {
    clearInterval(this._redrawing);
  }

  private _draw(): void {
    const { store } = this._context.weavers;
    const weaver = store.weavers.get(this.spec.id);
    const isGone = !weaver && store.link === 'live' && (this._last !== null || this._isMissing);
    this._last = weaver ?? this._last;
    if (!weaver && store.link === 'live') {
      void this._lookOnce();
    }
    this._say(weaver ? '' : this._explained(isGone));
    if (this._last !== null) {
      // For good: a picture that is hidden would still be found by who looks through the page.
      this._picture.dispose();
    }
    this._card.setHidden(this._last === null);
    if (this._last) {
      this._card.draw(this._last, this.spec.view === 'card', isGone);
      this._card.offer(isGone || this.spec.view !== 'card' ? [] : this._actions(this._last));
      this._openBody();
    }
    this._note(
      isGone
        ? { status: 'deleted' }
        : weaver
          ? { status: weaver.status, exit_code: weaver.exit_code }
          : {}
    );
  }

  /** One sentence where it cannot be live. */
  private _explained(isGone: boolean): string {
    const { store } = this._context.weavers;
    const { id } = this.spec;
    if (isGone) {
      return this._last === null
        ? this._trans.__('%1 is not here any more; this is how it was when the cell ran.', id)
        : '';
    }
    switch (store.link) {
      case 'missing':
        return this._trans.__(
          'This page’s server has no weavers: install loom-weaver where Jupyter runs, and restart it. %1 is shown as it was when the cell ran.',
          id
        );
      case 'outdated':
        return this._trans.__(
          'The weavers of this page’s server are older than the page: upgrade loom-weaver where Jupyter runs, and restart it. %1 is shown as it was when the cell ran.',
          id
        );
      case 'refused':
      case 'lost':
        return this._last === null ? this._trans.__('%1 is not live: %2', id, store.problem) : '';
      default:
        return this._refusal || this._trans.__('Looking for %1…', id);
    }
  }

  /** One that was made a moment ago may not be in the list yet; asked once, it is there or it is not. */
  private async _lookOnce(): Promise<void> {
    if (this._hasLooked) {
      return;
    }
    this._hasLooked = true;
    const { api, store } = this._context.weavers;
    try {
      store.put(await api.get(this.spec.id));
    } catch (error) {
      this._isMissing = error instanceof ApiError && error.status === 404;
      this._refusal = this._isMissing ? '' : (error as Error).message;
      if (!this.isDisposed) {
        this._draw();
      }
    }
  }

  private _actions(weaver: IWeaver): ICardAction[] {
    const views = [
      this._toggle('terminal', this._trans.__('Terminal')),
      this._toggle('logs', this._trans.__('Log'))
    ];
    if (!this._context.weavers.store.mayChange(weaver)) {
      return views;
    }
    const canExtend = weaver.status === 'pending' || weaver.status === 'running';
    return [
      ...views,
      ...(canExtend ? this._command(CommandIDs.extend, this._trans.__('Extend…')) : []),
      ...this._command(CommandIDs.remove, this._trans.__('Delete…'))
    ];
  }

  private _command(command: string, label: string): ICardAction[] {
    const { commands } = this._context;
    const press = (): void => void commands.execute(command, { id: this.spec.id });
    return commands.hasCommand(command) ? [{ label, press }] : [];
  }

  private _toggle(body: Body, label: string): ICardAction {
    const isOn = this._open === body;
    const press = (): void => {
      this._open = isOn ? null : body;
      this._draw();
    };
    return { label, press, isOn };
  }

  private _openBody(): void {
    if (this._opened === this._open) {
      return;
    }
    this._opened = this._open;
    this._body?.dispose();
    this._body = null;
    if (this._open !== null) {
      void this._addBody(this._open);
    }
  }

  private async _addBody(kind: Body): Promise<void> {
    let body: Widget;
    try {
      body = await (kind === 'logs' ? this._newLog() : this._newTerminal());
    } catch (error) {
      this._say(
        this._trans.__('This part of the page could not be loaded: %1', (error as Error).message)
      );
      return;
    }
    if (this.isDisposed || this._opened !== kind || this._body) {
      body.dispose();
      return;
    }
    body.addClass('lw-NotebookView-body');
    this._body = body;
    (this.layout as PanelLayout).addWidget(body);
  }

  private async _newLog(): Promise<Widget> {
    const { LogView } = await import('./logview');
    const { tail = 1_000, id } = this.spec;
    const { api } = this._context.weavers;
    const view = new LogView({ api, id, tail, translator: this._context.translator ?? undefined });
    view.stateChanged.connect(({ lines }) =>
      this._note({ lines_seen: lines.length + lines.dropped })
    );
    return view;
  }

  private async _newTerminal(): Promise<Widget> {
    const { TerminalView } = await import('./terminal');
    const { id } = this.spec;
    const { api } = this._context.weavers;
    return new TerminalView({ api, id, translator: this._context.translator ?? undefined });
  }

  private _say(words: string): void {
    if (this._notice.node.textContent !== words) {
      this._notice.node.textContent = words;
    }
    this._notice.setHidden(words === '');
  }

  private _note(news: Partial<ITold>): void {
    Object.assign(this._told, news);
    this._tellSoon();
  }

  private _tellSoon(): void {
    this._telling ??= setTimeout(() => {
      this._telling = undefined;
      this._models.forEach(model => tell(model, this._told));
    }, TELL_EVERY);
  }

  private readonly _trans: TranslationBundle;
  private readonly _card: WeaverCard;
  private readonly _notice = new Widget();
  private readonly _picture = new Widget();
  private readonly _models = new Set<ILiveModel>();
  private readonly _told: Partial<ITold> = {};
  private _telling: ReturnType<typeof setTimeout> | undefined;
  private _redrawing: ReturnType<typeof setInterval> | undefined;
  private _last: IWeaver | null = null;
  private _hasLooked = false;
  private _isMissing = false;
  private _refusal = '';
  private _open: Body | null = null;
  private _opened: Body | null = null;
  private _body: Widget | null = null;
}

/** Only what is news: each change is a message to the kernel. */
function tell(model: ILiveModel, told: Partial<ITold>): void {
  const news = Object.entries(told).filter(([name, value]) => model.get(name) !== value);
  if (news.length > 0) {
    model.set(Object.fromEntries(news) as Partial<ITold>);
    model.save_changes();
  }
}
