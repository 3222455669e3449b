/** The few elements that bars of terminals and logs are made of. */

import type { LabIcon } from '@jupyterlab/ui-components';

export function element(tag: string, className: string, text = ''): HTMLElement {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  return node;
}

export interface IButtonOptions {
  label: string;
  /** What it does, in a few words more; shown when the mouse rests. */
  title?: string;
  /** Shown instead of the label. */
  icon?: LabIcon;
  press(): void;
}

export function button(options: IButtonOptions): HTMLButtonElement {
  const node = element('button', 'lw-Button') as HTMLButtonElement;
  node.type = 'button';
  node.title = options.title ?? options.label;
  node.addEventListener('click', () => options.press());
  if (options.icon === undefined) {
    node.textContent = options.label;
  } else {
    node.ariaLabel = options.label;
    node.classList.add('lw-mod-icon');
    options.icon.element({ container: node, tag: 'span' });
  }
  return node;
}

/** A button that is on or off; `press` gets what it becomes. */
export function toggle(
  options: Omit<IButtonOptions, 'press'> & { on: boolean; press(on: boolean): void }
): HTMLButtonElement {
  const node = button({ ...options, press: () => options.press(!isOn(node)) });
  setOn(node, options.on);
  return node;
}

export function setOn(node: HTMLButtonElement, on: boolean): void {
  node.ariaPressed = String(on);
}

function isOn(node: HTMLButtonElement): boolean {
  return node.ariaPressed === 'true';
}
