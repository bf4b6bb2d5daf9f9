/** Larger than SQLite's own choice: a batch is copied in fewer pieces, into the write-ahead log and out of it. */
export const pageBytes = 8_192;
