/** A question that waits for its answer: the browser's own modal dialog, which keeps the focus and knows Escape. */
import { ReactWidget } from '@jupyterlab/ui-components';
import { PanelLayout, Widget } from '@lumino/widgets';
import type { ReactElement } from 'react';

/** Shows what `content` draws; resolves with what it calls `close` with, null when it is left by Escape. */
export function ask<T>(
  title: string,
  content: (close: (result: T | null) => void) => ReactElement
): Promise<T | null> {
  return new Promise(resolve => {
    const node = document.createElement('dialog');
    const modal = new Widget({ node });
    let result: T | null = null;
    const close = (answer: T | null): void => {
      result = answer;
      node.close();
    };
    node.addEventListener('close', () => {
      modal.dispose();
      resolve(result);
    });
    // JupyterLab's shortcuts are not for here.
    node.addEventListener('keydown', event => event.stopPropagation());
    modal.addClass('jp-LoomWeaver-modal');
    node.setAttribute('aria-label', title);
    const layout = new PanelLayout();
    modal.layout = layout;
    layout.addWidget(ReactWidget.create(content(close)));
    Widget.attach(modal, document.body);
    node.showModal();
  });
}
