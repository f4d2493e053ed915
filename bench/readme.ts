/** stub */
export function writeDocuments(): string[] {
  return [];
}
