/** What our plugins, and those of others, ask JupyterLab for. */
import { Token } from '@lumino/coreutils';

import type { WeaverApi } from './api';
import type { Deletions } from './deletions';
import type { WeaverStore } from './weaverstore';

export interface IWeavers {
  readonly api: WeaverApi;
  /** What the page knows of weavers, live. */
  readonly store: WeaverStore;
  /** Deletes that can still be taken back. */
  readonly deletions: Deletions;
  /** Try a broken link to the server again now. */
  retry(): void;
}

export const IWeavers = new Token<IWeavers>(
  '@loom/weaver-lab:IWeavers',
  'The weavers of this page: the API of the server extension, and what is known of each weaver.'
);

/** Commands of all our plugins; `id` is a weaver's, and where none is given, the one that the menu is open on. */
export namespace CommandIDs {
  /** {id}: opens the weaver's terminal. */
  export const openTerminal = 'loom-weaver:open-terminal';
  /** {id}: opens the weaver's log. */
  export const openLogs = 'loom-weaver:open-logs';
  /** {like?: id, template?: name}: asks for a new weaver in a dialog. */
  export const create = 'loom-weaver:create';
  /** {image?}: makes a weaver with the defaults, and opens its terminal. */
  export const start = 'loom-weaver:start';
  /** {id, by?: hours}: extends the lifetime by so much, or asks for how much. */
  export const extend = 'loom-weaver:extend';
  /** {id} */
  export const copyId = 'loom-weaver:copy-id';
  /** {id}: shows its log in a cell of the notebook that is open. */
  export const showInNotebook = 'loom-weaver:show-in-notebook';
  /** {id}: a new weaver like this one, by the dialog. */
  export const createLike = 'loom-weaver:create-like';
  /** {id}: deletes after a question; can be taken back until it is sent. */
  export const remove = 'loom-weaver:delete';
  /** {id?}: shows the panel, with this weaver in sight. */
  export const showPanel = 'loom-weaver:show-panel';
}
