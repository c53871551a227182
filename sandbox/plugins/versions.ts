/** The official plugins that there are stand-ins for, in the versions of the packages that the program imports. */
export const pluginVersions = { command: '1.2.1', tls: '5.6.1' } as const;
