/** What our plugins, and those of others, ask JupyterLab for. */
import { Token } from '@lumino/coreutils';

import type { WeaverApi } from './api';

export interface IWeavers {
  readonly api: WeaverApi;
}

export const IWeavers = new Token<IWeavers>(
  '@loom/weaver-lab:IWeavers',
  'The weavers of this page: the API of the server extension, and what is known of each weaver.'
);

/** Commands that plugins of different authors call by name; arguments as commented. */
export namespace CommandIDs {
  /** {id}: opens the weaver's terminal. */
  export const openTerminal = 'loom-weaver:open-terminal';
  /** {id}: opens the weaver's log. */
  export const openLogs = 'loom-weaver:open-logs';
}
