import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { StatusItem } from '../statusitem';
import { IWeavers } from '../tokens';

export const statusbar: JupyterFrontEndPlugin<void> = {
  id: '@loom/weaver-lab:statusbar',
  description: 'Shows in the status bar how many weavers run.',
  autoStart: true,
  requires: [IWeavers, IStatusBar],
  optional: [ITranslator],
  activate: (
    app: JupyterFrontEnd,
    weavers: IWeavers,
    bar: IStatusBar,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('loom_weaver_lab');
    bar.registerStatusItem('@loom/weaver-lab:statusbar', {
      item: new StatusItem({ weavers, commands: app.commands, trans }),
      align: 'left',
      rank: 3
    });
  }
};
