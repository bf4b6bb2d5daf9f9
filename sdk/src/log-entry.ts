/** `@tappaas/sdk/log`: how the log of a pod is followed over connections that break, for the API and its typed client. */
export { FollowedLog, type LogEntry, type LogSource } from './followed-log.js';
export { lineMark, LogReading, timedLine, type LogPlace } from './log-reading.js';
