/** What the plugins of terminals and logs have in common: one main-area tab for each weaver, restored by a reload. */

import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import type { LabIcon } from '@jupyterlab/ui-components';
import type { Widget } from '@lumino/widgets';

import type { WeaverApi } from '../api';
import { nameOf } from '../words';

/** A view of one weaver. */
export type WeaverWidget = Widget & { readonly weaverId: string };

export interface IKind<T extends WeaverWidget> {
  /** The tracker's namespace, and the start of the tabs' ids. */
  name: string;
  command: string;
  label: string;
  caption: string;
  icon: LabIcon;
  make(id: string): T;
  title(name: string): string;
}

/** Adds the command that opens the tab of a weaver, or brings it to the front. */
export function addDocuments<T extends WeaverWidget>(
  app: JupyterFrontEnd,
  api: WeaverApi,
  restorer: ILayoutRestorer | null,
  kind: IKind<T>
): WidgetTracker<MainAreaWidget<T>> {
  const tracker = new WidgetTracker<MainAreaWidget<T>>({ namespace: kind.name });
  app.commands.addCommand(kind.command, {
    label: kind.label,
    caption: kind.caption,
    icon: kind.icon,
    describedBy: { args: ARGUMENTS },
    execute: args => open(app, tracker, kind, api, args)
  });
  if (restorer !== null) {
    void restorer.restore(tracker, {
      command: kind.command,
      args: ({ content }) => ({ id: content.weaverId, activate: false }),
      name: ({ content }) => content.weaverId
    });
  }
  return tracker;
}

const ARGUMENTS = {
  type: 'object',
  properties: {
    id: { type: 'string', description: 'The id of the weaver' },
    activate: { type: 'boolean', description: 'Whether to bring it to the front (default: true)' },
    mode: { type: 'string', description: 'Where to put it, such as split-right' },
    ref: { type: 'string', description: 'The id of the widget beside which it goes' }
  },
  required: ['id']
} as const;

function open<T extends WeaverWidget>(
  app: JupyterFrontEnd,
  tracker: WidgetTracker<MainAreaWidget<T>>,
  kind: IKind<T>,
  api: WeaverApi,
  args: Record<string, unknown>
): MainAreaWidget<T> | undefined {
  const { id } = args;
  if (typeof id !== 'string' || id === '') {
    return undefined;
  }
  const found = tracker.find(({ content }) => content.weaverId === id);
  const widget = found ?? make(kind, id, api);
  if (found === undefined) {
    void tracker.add(widget);
    app.shell.add(widget, 'main', place(args));
  }
  if (args['activate'] !== false) {
    app.shell.activateById(widget.id);
  }
  return widget;
}

function place(args: Record<string, unknown>): Record<string, unknown> {
  const { mode, ref, activate } = args;
  return { mode, ref, activate };
}

function make<T extends WeaverWidget>(
  kind: IKind<T>,
  id: string,
  api: WeaverApi
): MainAreaWidget<T> {
  const content = kind.make(id);
  const widget = new MainAreaWidget({ content });
  widget.id = `${kind.name}-${id}`;
  widget.title.icon = kind.icon;
  widget.title.closable = true;
  widget.title.label = kind.title(id);
  widget.title.caption = id;
  widget.toolbar.hide();
  void name(api, id).then(text => {
    widget.title.label = kind.title(text);
  });
  return widget;
}

async function name(api: WeaverApi, id: string): Promise<string> {
  try {
    return nameOf(await api.get(id));
  } catch {
    // The widget itself says what is wrong.
    return id;
  }
}
