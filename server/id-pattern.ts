/** The shape of every id: of locations, conversations, contacts and users. */
export const ID_PATTERN = /^[A-Za-z0-9_-]{1,64}$/;
