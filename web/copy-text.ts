/**
 * Puts `text` on the clipboard and tells whether that went well. Over plain HTTP from another machine browsers
 * offer the old command only, which copies what is selected in `source`.
 */
export async function copyText(text: string, source: Element): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection()?.selectAllChildren(source);
    return document.execCommand('copy');
  }
}
