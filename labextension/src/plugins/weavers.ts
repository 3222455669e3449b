import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';

import { WeaverApi } from '../api';
import { IWeavers } from '../tokens';

/** Gives the page its one connection to the server extension. */
export const weavers: JupyterFrontEndPlugin<IWeavers> = {
  id: '@loom/weaver-lab:weavers',
  description: 'Connects the page to the weavers of its Jupyter server.',
  autoStart: true,
  provides: IWeavers,
  activate: (app: JupyterFrontEnd): IWeavers => ({
    api: new WeaverApi(app.serviceManager.serverSettings)
  })
};
