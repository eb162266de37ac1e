/** Written in by build.mjs. */
declare const __ICONS__: string;
declare const __EMPTY_GIF__: string;
declare const __BUILD__: string;
declare const __MANIFEST__: Record<string, string>;
