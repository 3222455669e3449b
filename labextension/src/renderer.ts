/** Draws `application/vnd.loom-weaver.v1+json`: live where there is a server, else the picture that is kept. */

import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { PanelLayout, Widget } from '@lumino/widgets';

import { type ILiveModel, type LiveModels, MIME_TYPE, specOf } from './notebookspec';
import { type INotebookContext, NotebookView } from './notebookviews';

/** Ahead of the widget manager's -10: an id finds its weaver again after the kernel is gone. */
export const RANK = -20;

export class WeaverRenderer extends Widget implements IRenderMime.IRenderer {
  constructor(
    private readonly _context: INotebookContext,
    private readonly _models: LiveModels,
    private readonly _options: IRenderMime.IRendererOptions
  ) {
    super();
    this.layout = new PanelLayout();
    this.addClass('lw-WeaverRenderer');
  }

  /** Called again when an output is updated in place. */
  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this._clear();
    const spec = specOf(model.data[MIME_TYPE]);
    const html = model.data['text/html'];
    const picture = typeof html === 'string' ? this._options.sanitizer.sanitize(html) : '';
    if (spec) {
      const view = new NotebookView(this._context, spec, picture);
      (this.layout as PanelLayout).addWidget(view);
      this._bind(view, spec.modelId);
    }
    return Promise.resolve();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._clear();
      super.dispose();
    }
  }

  private _bind(view: NotebookView, id: string | undefined): void {
    if (id !== undefined) {
      this._unbind = this._models.whenThere(id, (live: ILiveModel) => view.bind(live));
    }
  }

  private _clear(): void {
    this._unbind();
    this._unbind = () => undefined;
    for (const view of [...(this.layout as PanelLayout).widgets]) {
      view.dispose();
    }
  }

  private _unbind: () => void = () => undefined;
}

export function rendererFactory(
  context: INotebookContext,
  models: LiveModels
): IRenderMime.IRendererFactory {
  return {
    // An id, and text that is sanitized: nothing in it can do anything by itself.
    safe: true,
    mimeTypes: [MIME_TYPE],
    defaultRank: RANK,
    createRenderer: options => new WeaverRenderer(context, models, options)
  };
}
