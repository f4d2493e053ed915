/**
 * Puts `text` on the clipboard and returns whether that worked. Over plain HTTP from another machine browsers
 * offer the old command only, which copies what is selected, `source` here; the event lets us say what that is.
 */
export async function copyText(text: string, source: Element): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const give = (event: ClipboardEvent): void => {
      event.clipboardData?.setData('text/plain', text);
      event.preventDefault();
    };
    getSelection()?.selectAllChildren(source);
    document.addEventListener('copy', give, { once: true });
    const isCopied = document.execCommand('copy');
    document.removeEventListener('copy', give);
    return isCopied;
  }
}
