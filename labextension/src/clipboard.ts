/** Put a text on the clipboard, also where the page came over plain HTTP and the clipboard API does not exist. */

/** Whether it is there now. */
export async function copyText(text: string): Promise<boolean> {
  const clipboard = navigator.clipboard as Clipboard | undefined;
  try {
    if (clipboard !== undefined) {
      await clipboard.writeText(text);
      return true;
    }
  } catch {
    // Refused, as a page without focus is: the older way may still work.
  }
  return copyByCommand(text);
}

function copyByCommand(text: string): boolean {
  const listen = (event: ClipboardEvent): void => {
    event.preventDefault();
    event.stopImmediatePropagation();
    event.clipboardData?.setData('text/plain', text);
  };
  document.addEventListener('copy', listen, { capture: true });
  try {
    return document.execCommand('copy');
  } finally {
    document.removeEventListener('copy', listen, { capture: true });
  }
}
