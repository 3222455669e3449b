import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';

import { WeaverApi } from '../api';
import { Deletions } from '../deletions';
import { EventLink } from '../eventlink';
import { IWeavers } from '../tokens';
import { WeaverStore } from '../weaverstore';

/** Gives the page its one connection to the server extension. */
export const weavers: JupyterFrontEndPlugin<IWeavers> = {
  id: '@loom/weaver-lab:weavers',
  description: 'Connects the page to the weavers of its Jupyter server.',
  autoStart: true,
  provides: IWeavers,
  activate: (app: JupyterFrontEnd): IWeavers => {
    const api = new WeaverApi(app.serviceManager.serverSettings);
    const store = new WeaverStore();
    const link = new EventLink(api, store);
    return { api, store, deletions: new Deletions(api), retry: link.retry };
  }
};
