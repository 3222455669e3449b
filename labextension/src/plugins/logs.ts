import { ILayoutRestorer } from '@jupyterlab/application';
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { listIcon } from '@jupyterlab/ui-components';

import { LogView } from '../logview';
import { CommandIDs, IWeavers } from '../tokens';
import { addDocuments } from './documents';

/** Opens logs of weavers. */
export const logs: JupyterFrontEndPlugin<void> = {
  id: '@loom/weaver-lab:logs',
  description: 'Opens logs of weavers in the main area.',
  autoStart: true,
  requires: [IWeavers],
  optional: [ILayoutRestorer, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    { api }: IWeavers,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('loom_weaver');
    addDocuments(app, api, restorer, {
      name: 'loom-weaver-log',
      command: CommandIDs.openLogs,
      label: trans.__('Open Log'),
      caption: trans.__('Open the log of a weaver'),
      icon: listIcon,
      title: name => trans.__('Log: %1', name),
      make: id => new LogView({ api, id, translator: translator ?? undefined })
    });
  }
};
