/** A file that was being uploaded when the page was left. */
export interface PendingUpload {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  readonly conversationId?: string | undefined;
  readonly locationId?: string | undefined;
  /** Set once the file is in storage. */
  readonly ticket?: string | undefined;
}

/** The uploads in flight, kept in `sessionStorage` so that the page can finish them after a reload. */
export interface PendingUploads {
  /** Adds an upload, or changes it. @returns its id. */
  put(upload: PendingUpload, id?: string): string;
  remove(id: string): void;
  /** What an earlier load of this page has left for a conversation. */
  left(conversationId?: string, locationId?: string): [id: string, upload: PendingUpload][];
}

/** Ids of this load of the page; all others are of an earlier one. */
const own = new Set<string>();

/** Creates the list for an endpoint. Without `sessionStorage` nothing is kept. */
export function createPendingUploads(endpoint: string): PendingUploads {
  const key = `leadway-bff-client ${endpoint}`;

  function read(): Record<string, PendingUpload> {
    try {
      return JSON.parse(sessionStorage.getItem(key) ?? '{}');
    } catch {
      return {};
    }
  }

  function write(uploads: Record<string, PendingUpload>): void {
    try {
      if (Object.keys(uploads).length) sessionStorage.setItem(key, JSON.stringify(uploads));
      else sessionStorage.removeItem(key);
    } catch {
      // No storage, or no room in it.
    }
  }

  return {
    put(upload, id = `${Date.now()}-${Math.random()}`) {
      own.add(id);
      write({ ...read(), [id]: upload });
      return id;
    },
    remove(id) {
      const { [id]: _, ...others } = read();
      write(others);
    },
    left: (conversationId, locationId) =>
      Object.entries(read()).filter(
        ([id, upload]) =>
          !own.has(id) && upload.conversationId === conversationId && upload.locationId === locationId,
      ),
  };
}
