/** The release that the toolchain builds; images and node metadata name it. */
export const istioVersion = '1.31.4';
