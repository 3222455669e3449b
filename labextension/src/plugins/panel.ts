import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { addCommands } from '../commands';
import { MENU, WeaverPanel } from '../panel';
import { CommandIDs, IWeavers } from '../tokens';
import type { ITemplate } from '../weaverform';

const PLUGIN = '@loom/weaver-lab:panel';
const ROW = '.jp-LoomWeaver-row';

/** The side bar's list of weavers, and the commands that work on it. */
export const panel: JupyterFrontEndPlugin<void> = {
  id: PLUGIN,
  description: 'Lists weavers in the side bar, and makes, extends and deletes them.',
  autoStart: true,
  requires: [IWeavers],
  optional: [ILabShell, ILayoutRestorer, ISettingRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    weavers: IWeavers,
    labShell: ILabShell | null,
    restorer: ILayoutRestorer | null,
    settings: ISettingRegistry | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('loom_weaver_lab');
    const { commands } = app;
    const widget = new WeaverPanel({ weavers, commands, trans });
    app.shell.add(widget, 'left', { rank: 450 });
    restorer?.add(widget, widget.id);
    let templates: readonly ITemplate[] = [];
    const show = (): void => {
      labShell?.expandLeft();
      app.shell.activateById(widget.id);
    };
    addCommands({
      weavers,
      commands,
      trans,
      templates: () => templates,
      current: () => app.contextMenuHitTest(node => node.matches(ROW))?.dataset['weaverId'],
      reveal: id => {
        show();
        widget.reveal(id);
      }
    });
    commands.addCommand(CommandIDs.showPanel, {
      label: trans.__('Show Weavers'),
      describedBy: { args: { type: 'object', properties: { id: { type: 'string' } } } },
      execute: args => {
        show();
        if (typeof args['id'] === 'string') {
          widget.reveal(args['id']);
        }
      }
    });
    MENU.forEach((command, rank) => app.contextMenu.addItem({ command, selector: ROW, rank }));
    weavers.deletions.failed.connect((_, why) => {
      Notification.error(trans.__('The weaver could not be deleted: %1', why));
    });
    void settings
      ?.load(PLUGIN)
      .then(loaded => {
        const take = (): void => {
          templates = loaded.composite['templates'] as unknown as readonly ITemplate[];
          weavers.deletions.seconds = loaded.composite['undoSeconds'] as number;
        };
        take();
        loaded.changed.connect(take);
      })
      .catch((error: unknown) => console.warn('The settings of weavers could not be read', error));
  }
};
