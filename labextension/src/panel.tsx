/** The panel of weavers, as JupyterLab places it in a side bar. */
import { ReactWidget } from '@jupyterlab/ui-components';
import { Menu } from '@lumino/widgets';
import type { ReactElement } from 'react';

import { weaverIcon } from './icons';
import type { ISurroundings } from './surroundings';
import { CommandIDs } from './tokens';
import { WeaverList } from './weaverlist';

export const MENU: readonly string[] = [
  CommandIDs.openTerminal,
  CommandIDs.openLogs,
  CommandIDs.showInNotebook,
  CommandIDs.extend,
  CommandIDs.copyId,
  CommandIDs.createLike,
  CommandIDs.remove
];

export class WeaverPanel extends ReactWidget {
  constructor(private readonly _surroundings: ISurroundings) {
    super();
    const { trans } = _surroundings;
    this.id = 'loom-weaver-panel';
    this.addClass('jp-LoomWeaver');
    this.title.icon = weaverIcon;
    this.title.caption = trans.__('Weavers');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Weavers'));
  }

  /** Brings a weaver into sight, as soon as it is drawn. */
  reveal(id: string): void {
    requestAnimationFrame(() => {
      const row = this.node.querySelector(`[data-weaver-id="${CSS.escape(id)}"]`);
      row?.scrollIntoView({ block: 'nearest' });
      row?.querySelector<HTMLElement>('.jp-LoomWeaver-name')?.focus();
    });
  }

  protected override render(): ReactElement {
    return <WeaverList {...this._surroundings} openMenu={this._openMenu} />;
  }

  private readonly _openMenu = (id: string, anchor: HTMLElement): void => {
    const { commands } = this._surroundings;
    const menu = new Menu({ commands });
    for (const command of MENU.filter(each => commands.hasCommand(each))) {
      menu.addItem({ command, args: { id } });
    }
    const place = anchor.getBoundingClientRect();
    menu.aboutToClose.connect(() =>
      requestAnimationFrame(() => {
        // Whoever came by the keyboard goes back to where they were, unless the command has led them on.
        if (document.activeElement === document.body) {
          anchor.focus();
        }
        menu.dispose();
      })
    );
    menu.open(place.left, place.bottom);
  };
}
