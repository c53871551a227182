import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The class path of a directory of jars, always in the same order: an archive of classes fits only the path that it was made with. */
export function classPath(libs: string): string {
  return readdirSync(libs).filter((file) => file.endsWith('.jar')).sort().map((jar) => join(libs, jar)).join(':');
}

/** Where a broker's archive of loaded classes lies: beside its jars. It need not be there. */
export function archiveOf(libs: string): string {
  return join(dirname(libs), 'kafka.aot');
}

/** Small and quick to start rather than fast in the long run: several brokers share a small machine. */
export const jvmFlags = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/** Log4j's configuration: everything of INFO to standard output. */
export const log4j = `Configuration:
  status: warn
  Appenders:
    Console:
      name: STDOUT
      PatternLayout:
        pattern: "%d{ISO8601} %-5p [%t] %c{2} - %m%n"
  Loggers:
    Root:
      level: info
      AppenderRef:
        ref: STDOUT
`;
