/** The classes that ipywidgets asks for; loaded when a kernel first makes one of our widgets. */

import { DOMWidgetModel, DOMWidgetView, JupyterLuminoPanelWidget } from '@jupyter-widgets/base';

import { type LiveModels, specOf } from './notebookspec';
import { type INotebookContext, NotebookView } from './notebookviews';

type Exports = Record<string, typeof DOMWidgetModel | typeof DOMWidgetView>;

export function widgetClasses(context: INotebookContext, models: LiveModels): Exports {
  class WeaverModel extends DOMWidgetModel {
    override initialize(
      attributes: Parameters<DOMWidgetModel['initialize']>[0],
      options: Parameters<DOMWidgetModel['initialize']>[1]
    ): void {
      super.initialize(attributes, options);
      models.add(this.model_id, this);
    }

    override close(commClosed?: boolean): Promise<void> {
      models.remove(this.model_id);
      return super.close(commClosed);
    }
  }

  /** Where a widget stands among others, as in a box; an output of its own is drawn by its MIME type. */
  class WeaverView extends DOMWidgetView {
    protected readonly kind: string = 'card';

    override _createElement(): HTMLElement {
      this.luminoWidget = new JupyterLuminoPanelWidget({ view: this });
      return this.luminoWidget.node;
    }

    override _setElement(element: HTMLElement): void {
      this.el = element;
    }

    override render(): void {
      super.render();
      const { model } = this;
      const spec = specOf({ id: model.get('weaver_id'), view: this.kind, tail: model.get('tail') });
      if (spec) {
        this._mounted = new NotebookView(context, spec);
        this._mounted.bind(model);
        (this.luminoWidget as JupyterLuminoPanelWidget).addWidget(this._mounted);
      }
    }

    override remove(): void {
      this._mounted?.dispose();
      super.remove();
    }

    private _mounted: NotebookView | undefined;
  }

  class WeaverLogsView extends WeaverView {
    protected override readonly kind = 'logs';
  }

  class WeaverTerminalView extends WeaverView {
    protected override readonly kind = 'terminal';
  }

  return { WeaverModel, WeaverPanelView: WeaverView, WeaverLogsView, WeaverTerminalView };
}
