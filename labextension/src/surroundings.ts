/** What every part of the panel and the dialogs needs. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import type { IWeavers } from './tokens';

export interface ISurroundings {
  readonly weavers: IWeavers;
  readonly commands: CommandRegistry;
  readonly trans: TranslationBundle;
}
