// The codicons in use, bundled as drawings so that no font has to be loaded. icons.json has our names for them.

import drawings from 'codicons';
import type names from './icons.json';

/** One of them. */
export type IconName = keyof typeof names;

/** The drawings by name. */
export const icons: Record<IconName, string> = drawings;
