/** Larger than SQLite's default: a batch is copied in fewer pieces into the write-ahead log and out of it. */
export const pageBytes = 8_192;
