import { ILayoutRestorer } from '@jupyterlab/application';
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { terminalIcon } from '@jupyterlab/ui-components';

import { TerminalView } from '../terminal';
import { TERMINAL_SETTINGS, type ITerminalSettings } from '../terminaltheme';
import { CommandIDs, IWeavers } from '../tokens';
import { addDocuments } from './documents';

/** Fonts and keys are those that people have chosen for JupyterLab's own terminals. */
const LAB_TERMINALS = '@jupyterlab/terminal-extension:plugin';

/** Opens terminals of weavers. */
export const terminals: JupyterFrontEndPlugin<void> = {
  id: '@loom/weaver-lab:terminals',
  description: 'Opens terminals of weavers in the main area.',
  autoStart: true,
  requires: [IWeavers],
  optional: [ILayoutRestorer, ISettingRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    { api }: IWeavers,
    restorer: ILayoutRestorer | null,
    registry: ISettingRegistry | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('loom_weaver');
    let settings: ITerminalSettings = TERMINAL_SETTINGS;
    const tracker = addDocuments(app, api, restorer, {
      name: 'loom-weaver-terminal',
      command: CommandIDs.openTerminal,
      label: trans.__('Open Terminal'),
      caption: trans.__('Open the terminal of a weaver'),
      icon: terminalIcon,
      title: name => name,
      make: id =>
        new TerminalView({
          api,
          id,
          settings,
          translator: translator ?? undefined,
          openLogs: () => void app.commands.execute(CommandIDs.openLogs, { id })
        })
    });
    void followSettings(registry, next => {
      settings = next;
      tracker.forEach(({ content }) => (content.settings = next));
    });
  }
};

async function followSettings(
  registry: ISettingRegistry | null,
  follow: (settings: ITerminalSettings) => void
): Promise<void> {
  try {
    const settings = await registry?.load(LAB_TERMINALS);
    if (settings !== undefined) {
      settings.changed.connect(() => follow(chosen(settings)));
      follow(chosen(settings));
    }
  } catch {
    // A page without JupyterLab's terminals: ours have what is built in.
  }
}

/** Of what is chosen for JupyterLab's terminals, that which ours know, where it is of the right type. */
function chosen(settings: ISettingRegistry.ISettings): ITerminalSettings {
  const own = Object.entries(TERMINAL_SETTINGS).map(([name, value]) => {
    const set = settings.composite[name];
    return [name, typeof set === typeof value ? set : value];
  });
  return Object.fromEntries(own) as ITerminalSettings;
}
