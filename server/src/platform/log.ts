import { type DestinationStream, type Logger, pino } from 'pino'

/** What PostgreSQL adds to an error quotes values of rows: addresses and names do not belong in a log. */
const ROW_VALUES = ['err.detail', 'err.where', 'err.internalQuery']

/** The log of the process: JSON lines, without the values that a database error quotes. */
export function openLog(level: string, destination: DestinationStream): Logger {
  return pino({ level, redact: { paths: ROW_VALUES, remove: true } }, destination)
}
