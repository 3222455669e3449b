import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { inWords, isAtLongest, timeLeft } from '../lifetimes';
import { endingSoon, newsOf } from '../news';
import { CommandIDs, IWeavers } from '../tokens';
import { nameOf } from '../words';

const PLUGIN = '@loom/weaver-lab:notifications';
const LOOK_EVERY = 20_000;

export const notifications: JupyterFrontEndPlugin<void> = {
  id: PLUGIN,
  description: 'Tells when a weaver of yours fails, or will end soon.',
  autoStart: true,
  requires: [IWeavers],
  optional: [ISettingRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    { store }: IWeavers,
    settings: ISettingRegistry | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('loom_weaver_lab');
    const choice = { failures: true, warnMinutes: 15 };
    const warned = new Set<string>();
    store.moved.connect((_, ending) => {
      const news = choice.failures && store.isMine(ending.after) ? newsOf(ending, trans) : null;
      if (news) {
        const show = trans.__('Show');
        const callback = (): void =>
          void app.commands.execute(CommandIDs.showPanel, { id: ending.after.id });
        Notification[news.kind](news.text, {
          autoClose: false,
          actions: ending.deleted ? [] : [{ label: show, callback }]
        });
      }
    });
    const warn = (): void => {
      for (const weaver of endingSoon(store.weavers.values(), choice.warnMinutes, Date.now())) {
        const once = `${weaver.id} ${weaver.expires_at}`;
        if (store.isMine(weaver) && !warned.has(once)) {
          warned.add(once);
          const left = inWords(timeLeft(weaver, Date.now()), trans);
          Notification.warning(trans.__('Weaver %1 ends in %2.', nameOf(weaver), left), {
            autoClose: false,
            actions: isAtLongest(weaver)
              ? []
              : [
                  {
                    label: trans.__('Extend by 1 h'),
                    callback: () =>
                      void app.commands.execute(CommandIDs.extend, { id: weaver.id, by: 1 })
                  }
                ]
          });
        }
      }
    };
    window.setInterval(warn, LOOK_EVERY);
    void settings
      ?.load(PLUGIN)
      .then(loaded => {
        const take = (): void => {
          choice.failures = loaded.composite['failures'] as boolean;
          choice.warnMinutes = loaded.composite['warnMinutes'] as number;
        };
        take();
        loaded.changed.connect(take);
      })
      .catch((error: unknown) => console.warn('The settings of weavers could not be read', error));
  }
};
