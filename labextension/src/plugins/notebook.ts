import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator } from '@jupyterlab/translation';

import { LiveModels, PROTOCOL } from '../notebookspec';
import type { INotebookContext } from '../notebookviews';
import { RANK, rendererFactory } from '../renderer';
import { IWeavers } from '../tokens';

/** Draws weavers in the outputs of cells. */
export const notebook: JupyterFrontEndPlugin<void> = {
  id: '@loom/weaver-lab:notebook',
  description: 'Shows weavers, their logs and terminals in notebooks.',
  autoStart: true,
  requires: [IWeavers, IRenderMimeRegistry],
  optional: [ITranslator],
  activate: async (
    app: JupyterFrontEnd,
    weavers: IWeavers,
    rendermime: IRenderMimeRegistry,
    translator: ITranslator | null
  ): Promise<void> => {
    const context: INotebookContext = { weavers, commands: app.commands, translator };
    const models = new LiveModels();
    rendermime.addFactory(rendererFactory(context, models), RANK);
    await registerWidgets(app, context, models);
  }
};

/** The package is another extension's: a page that lacks it has everything but the kernel's side of widgets. */
async function registerWidgets(
  app: JupyterFrontEnd,
  context: INotebookContext,
  models: LiveModels
): Promise<void> {
  try {
    const { IJupyterWidgetRegistry } = await import('@jupyter-widgets/base');
    const registry = await app.resolveOptionalService(IJupyterWidgetRegistry);
    registry?.registerWidget({
      name: '@loom/weaver-lab',
      version: PROTOCOL,
      exports: async () => (await import('../notebookwidgets')).widgetClasses(context, models)
    });
  } catch {
    // Nothing provides it.
  }
}
