/*
 * watch - looks at a running monitord: once, or refreshed in place until it has been gone for
 * 10 s.
 *
 * On a terminal the screen is drawn over the last one; else a line is printed for each
 * change. Returns an exit status: 0, or 3 when no monitord answers.
 */
#ifndef MONITOR_WATCH_H
#define MONITOR_WATCH_H

int watch_once(const char *runtime_dir, const char *word);
int watch(const char *runtime_dir);

#endif
