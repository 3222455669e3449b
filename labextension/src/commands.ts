/** What can be done with weavers, as JupyterLab's commands. */
import { Clipboard, Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import {
  copyIcon,
  deleteIcon,
  duplicateIcon,
  historyIcon,
  notebookIcon
} from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { createElement } from 'react';

import { CreateForm, type ICreateResult } from './createdialog';
import { ExtendForm } from './extenddialog';
import { weaverIcon } from './icons';
import { hasEnded, longerBy } from './lifetimes';
import type { IWeaver } from './models';
import { ask } from './modal';
import { recall, remember } from './remembered';
import type { ISurroundings } from './surroundings';
import { CommandIDs } from './tokens';
import {
  emptyForm,
  formLike,
  type ITemplate,
  type IWeaverForm,
  remembered,
  withTemplate
} from './weaverform';
import { nameOf } from './words';

export interface ICommandOptions extends ISurroundings {
  /** The weaver that a menu is open on. */
  current: () => string | undefined;
  templates: () => readonly ITemplate[];
  reveal: (id: string) => void;
}

const INSERT_CELL = 'notebook:insert-cell-below';

type Args = ReadonlyPartialJSONObject;

const ARGS_OF_ONE = {
  args: {
    type: 'object',
    properties: { id: { type: 'string', description: 'The weaver’s id' } }
  }
} as const;

export function addCommands(options: ICommandOptions): void {
  const { commands, trans } = options;
  const one = (args: Args): IWeaver | undefined => weaverOf(options, args);
  const mayChange = (args: Args): boolean => {
    const weaver = one(args);
    return Boolean(
      weaver && options.weavers.store.mayChange(weaver) && weaver.status !== 'terminating'
    );
  };
  addCreating(options);
  const add = (id: string, command: CommandRegistry.ICommandOptions): void => {
    commands.addCommand(id, { describedBy: ARGS_OF_ONE, ...command });
  };
  add(CommandIDs.extend, {
    label: trans.__('Extend Lifetime…'),
    icon: historyIcon,
    isEnabled: args => mayChange(args) && !hasEnded(one(args)!),
    execute: args => extend(options, one(args), args['by'])
  });
  add(CommandIDs.copyId, {
    label: trans.__('Copy Weaver Id'),
    icon: copyIcon,
    isEnabled: args => Boolean(one(args)),
    execute: args => copyId(options, one(args))
  });
  add(CommandIDs.showInNotebook, {
    label: trans.__('Show Log in Notebook'),
    caption: trans.__('Add a cell with the log to the notebook that is open, and run it'),
    icon: notebookIcon,
    isEnabled: args => Boolean(one(args)) && commands.isEnabled(INSERT_CELL),
    execute: args => showInNotebook(commands, one(args))
  });
  add(CommandIDs.remove, {
    label: trans.__('Delete Weaver'),
    icon: deleteIcon,
    isEnabled: mayChange,
    execute: args => remove(options, one(args))
  });
}

function addCreating(options: ICommandOptions): void {
  const { commands, trans, weavers } = options;
  const isReady = (): boolean => weavers.store.me !== null;
  commands.addCommand(CommandIDs.create, {
    label: args => (args['isPalette'] ? trans.__('New Weaver…') : trans.__('New Weaver')),
    caption: trans.__('Choose image, size and lifetime of a new weaver'),
    icon: weaverIcon,
    isEnabled: isReady,
    describedBy: { args: { type: 'object', properties: { template: { type: 'string' } } } },
    execute: args => create(options, args['template'])
  });
  commands.addCommand(CommandIDs.createLike, {
    label: trans.__('New Weaver Like This…'),
    icon: duplicateIcon,
    isEnabled: args => isReady() && Boolean(weaverOf(options, args)),
    describedBy: ARGS_OF_ONE,
    execute: args => createLike(options, weaverOf(options, args))
  });
  commands.addCommand(CommandIDs.start, {
    label: args => trans.__('Start Weaver (%1)', String(args['image'] ?? trans.__('default'))),
    caption: trans.__('Start a weaver with the defaults, and open its terminal'),
    icon: weaverIcon,
    isEnabled: isReady,
    describedBy: { args: { type: 'object', properties: { image: { type: 'string' } } } },
    execute: args => start(options, args['image'])
  });
}

function weaverOf(options: ICommandOptions, args: Args): IWeaver | undefined {
  const id = typeof args['id'] === 'string' ? args['id'] : options.current();
  return id === undefined ? undefined : options.weavers.store.weavers.get(id);
}

async function create(options: ICommandOptions, template: unknown): Promise<void> {
  const base = emptyForm(options.weavers.store.me!, recall());
  const found = options.templates().find(each => each.name === template);
  await openDialog(options, found ? withTemplate(found, base) : base);
}

async function createLike(options: ICommandOptions, weaver: IWeaver | undefined): Promise<void> {
  if (weaver) {
    await openDialog(options, formLike(weaver, emptyForm(options.weavers.store.me!)));
  }
}

async function openDialog(options: ICommandOptions, initial: IWeaverForm): Promise<void> {
  const { weavers, trans } = options;
  const { api, store } = weavers;
  const result = await ask<ICreateResult>(trans.__('New weaver'), close =>
    createElement(CreateForm, {
      api,
      me: store.me!,
      initial,
      templates: options.templates(),
      trans,
      close
    })
  );
  if (result) {
    remember(remembered(result.form));
    await welcome(options, result.weaver, result.opensTerminal);
  }
}

async function start(options: ICommandOptions, image: unknown): Promise<void> {
  const { api, store } = options.weavers;
  const form = emptyForm(store.me!);
  const request = {
    image: typeof image === 'string' ? image : form.image,
    org_id: form.orgId,
    tags: { name: freeName(options) }
  };
  await orTell(async () => {
    await welcome(
      options,
      await api.create(request, crypto.getRandomValues(new Uint32Array(4)).join('-')),
      true
    );
  });
}

/** A first name that nobody had to think of. */
function freeName(options: ICommandOptions): string {
  const taken = new Set([...options.weavers.store.weavers.values()].map(nameOf));
  let number = 1;
  while (taken.has(`weaver-${number}`)) {
    number += 1;
  }
  return `weaver-${number}`;
}

async function welcome(
  options: ICommandOptions,
  weaver: IWeaver,
  opensTerminal: boolean
): Promise<void> {
  const { commands, weavers } = options;
  weavers.store.put(weaver);
  options.reveal(weaver.id);
  if (opensTerminal && commands.hasCommand(CommandIDs.openTerminal)) {
    await commands.execute(CommandIDs.openTerminal, { id: weaver.id });
  }
}

async function extend(
  options: ICommandOptions,
  weaver: IWeaver | undefined,
  by: unknown
): Promise<void> {
  if (!weaver) {
    return;
  }
  const { api, store } = options.weavers;
  await orTell(async () => {
    const changed =
      typeof by === 'number'
        ? await api.extend(weaver.id, longerBy(weaver, by, options.trans))
        : await ask<IWeaver>(options.trans.__('Extend lifetime'), close =>
            createElement(ExtendForm, { api, weaver, trans: options.trans, close })
          );
    if (changed) {
      store.put(changed);
    }
  });
}

/** By the notebook's own commands: where there is no notebook, there are none of them, and nothing is missed. */
async function showInNotebook(
  commands: CommandRegistry,
  weaver: IWeaver | undefined
): Promise<void> {
  if (weaver) {
    const text = `from loom_weaver.widgets import WeaverLogs\n\nWeaverLogs("${weaver.id}")`;
    await commands.execute(INSERT_CELL);
    await commands.execute('notebook:replace-selection', { text });
    await commands.execute('notebook:run-cell');
  }
}

async function copyId(options: ICommandOptions, weaver: IWeaver | undefined): Promise<void> {
  if (weaver) {
    // Works on plain HTTP too, where the clipboard API does not exist.
    Clipboard.copyToSystem(weaver.id);
    Notification.success(options.trans.__('Copied %1', weaver.id), { autoClose: 2000 });
  }
}

async function remove(options: ICommandOptions, weaver: IWeaver | undefined): Promise<void> {
  if (!weaver) {
    return;
  }
  const { trans, weavers } = options;
  const answer = await showDialog({
    title: trans.__('Delete %1?', nameOf(weaver)),
    body: trans.__('Its programs end, and its log and files go with it.'),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.warnButton({ label: trans.__('Delete') })
    ]
  });
  if (answer.button.accept) {
    weavers.deletions.start(weaver.id);
    options.reveal(weaver.id);
  }
}

async function orTell(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    Notification.error(error instanceof Error ? error.message : String(error));
  }
}
