import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import { IMainMenu } from '@jupyterlab/mainmenu';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Menu } from '@lumino/widgets';

import { CommandIDs, IWeavers } from '../tokens';

/** Cards of the launcher: one that asks, and one that starts with what most people take. */
export const launcher: JupyterFrontEndPlugin<void> = {
  id: '@loom/weaver-lab:launcher',
  description: 'Adds cards for new weavers to the launcher.',
  autoStart: true,
  requires: [IWeavers, ILauncher],
  optional: [ITranslator],
  activate: (
    _app: JupyterFrontEnd,
    weavers: IWeavers,
    cards: ILauncher,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('loom_weaver_lab');
    const category = trans.__('Weavers');
    const add = (): void => {
      const me = weavers.store.me;
      if (!me) {
        return;
      }
      weavers.store.changed.disconnect(add);
      cards.add({ command: CommandIDs.create, category, rank: 0 });
      const image = me.runtime.default_image;
      if (image) {
        cards.add({ command: CommandIDs.start, args: { image }, category, rank: 1 });
      }
    };
    weavers.store.changed.connect(add);
    add();
  }
};

/** Commands by their names, and in a menu of their own. */
export const palette: JupyterFrontEndPlugin<void> = {
  id: '@loom/weaver-lab:palette',
  description: 'Adds the commands of weavers to the command palette and the main menu.',
  autoStart: true,
  requires: [IWeavers],
  optional: [ICommandPalette, IMainMenu, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    _weavers: IWeavers,
    commandPalette: ICommandPalette | null,
    mainMenu: IMainMenu | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('loom_weaver_lab');
    const category = trans.__('Weavers');
    const names = [CommandIDs.create, CommandIDs.start, CommandIDs.showPanel];
    for (const command of names) {
      commandPalette?.addItem({ command, category, args: { isPalette: true } });
    }
    if (mainMenu) {
      const menu = new Menu({ commands: app.commands });
      menu.title.label = category;
      for (const command of names) {
        menu.addItem({ command, args: { isPalette: true } });
      }
      mainMenu.addMenu(menu, false, { rank: 600 });
    }
  }
};
