import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The class path of a directory of jars, always in the same order: an archive of classes fits only the path that it was made with. */
export function classPath(libs: string): string {
  return readdirSync(libs).filter((file) => file.endsWith('.jar')).sort().map((jar) => join(libs, jar)).join(':');
}

/** Where a broker's archive of loaded classes lies in Kafka's home, and beside it what the Java that made it says of itself. Neither need be there. */
export function archiveIn(home: string): { archive: string; madeBy: string } {
  return { archive: join(home, 'kafka.aot'), madeBy: join(home, 'kafka.aot.java') };
}

/** The file in which every Java says what it is. */
export function releaseOf(java: string): string {
  return join(dirname(dirname(java)), 'release');
}

/**
 * Small and quick to start rather than fast in the long run: several brokers share a small machine. The archive is used only by the very Java that
 * made it: others would not take it, and old ones would not even start with the option. One that the JVM refuses all the same it passes over in silence.
 */
export function brokerFlags(java: string, libs: string): string[] {
  const { archive, madeBy } = archiveIn(dirname(libs));
  const fits = existsSync(archive) && textOf(madeBy) !== undefined && textOf(madeBy) === textOf(releaseOf(java));
  return fits ? [...jvmFlags, `-XX:AOTCache=${archive}`, '-Xlog:aot=off', '-Xlog:aot+codecache*=off'] : jvmFlags;
}

/** The same whenever a broker is started: an archive of classes depends on them. */
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

function textOf(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}
