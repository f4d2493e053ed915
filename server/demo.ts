/** What the demo page uploads to: a conversation and a contact that exist. */
export interface DemoTarget {
  readonly conversationId: string;
  readonly contactId: string;
}
